//! The tables of all operations, served or not.

use std::{collections::BTreeSet, fmt::Write as _};

use anyhow::{Result, bail};

use super::{
    model::{Model, Operation},
    names,
    served::Service,
};

/// Names by which services say that a request is wrong, the most usual first: a real operation that is not served
/// answers the first of them that its model declares.
const REFUSALS: &[&str] = &[
    "InvalidRequestException",
    "ValidationException",
    "InvalidParameterException",
    "InvalidParameterValueException",
    "InvalidArgsException",
    "InvalidInputException",
    "InvalidInput",
];

/// Answer of an operation whose model declares none of [`REFUSALS`].
const REFUSAL_UNMODELLED: Refusal = ("NotImplementedException", 501);

/// Name of an error and its HTTP status.
pub(crate) type Refusal = (&'static str, u64);

/// The table of one service. What its operations answer while not served is added to `refusals`.
pub(crate) fn table(service: &Service, model: &Model, refusals: &mut BTreeSet<Refusal>) -> Result<String> {
    let protocol = match model.metadata("protocol") {
        "rest-json" => "RestJson",
        // Those that also speak CBOR still answer JSON to older clients.
        "json" | "smithy-rpc-v2-cbor" => "Json",
        "query" => "Query",
        other => bail!("{} speaks {other}: extend the generator", service.model),
    };
    let mut out = String::new();
    writeln!(out, "/// {}, {}.", model.metadata("serviceFullName"), model.metadata("uid"))?;
    writeln!(out, "static {}: Service = Service {{", names::constant(&service.module()))?;
    writeln!(out, "name: {:?}, scopes: &{:?}, protocol: Protocol::{protocol},", service.model, service.scopes)?;
    writeln!(out, "target_prefix: {:?},", model.metadata("targetPrefix"))?;
    writeln!(out, "xml_namespace: {:?},", model.metadata("xmlNamespace"))?;
    writeln!(out, "operations: &[")?;
    for operation in model.operations()? {
        let Operation { name, method, uri, status, .. } = operation;
        let refusal = refusal(&operation, model)?;
        refusals.insert(refusal);
        if protocol == "RestJson" {
            write!(out, "rest({name:?}, {method:?}, {uri:?}, {})", refusal_constant(refusal))?;
        } else {
            write!(out, "named({name:?}, {})", refusal_constant(refusal))?;
        }
        if status != 200 {
            write!(out, ".status({status})")?;
        }
        writeln!(out, ",")?;
    }
    writeln!(out, "]}};")?;
    Ok(out)
}

/// Name and HTTP status of the error that an operation answers while it is not served.
pub(super) fn refusal(operation: &Operation<'_>, model: &Model) -> Result<Refusal> {
    let Some(name) = REFUSALS.iter().find(|r| operation.errors.contains(r)) else { return Ok(REFUSAL_UNMODELLED) };
    let (code, status) = model.error(name)?;
    Ok((REFUSALS.iter().find(|r| **r == code).unwrap_or(name), status))
}

fn refusal_constant((name, _): Refusal) -> String {
    names::constant(name.trim_end_matches("Exception"))
}

/// `routes.rs`.
pub(crate) fn file(tables: &[String], refusals: &BTreeSet<Refusal>) -> String {
    let refusals: String = refusals
        .iter()
        .map(|r| format!("const {}: Refusal = Refusal {{ name: {:?}, status: {} }};\n", refusal_constant(*r), r.0, r.1))
        .collect();
    let names: Vec<_> = super::served::SERVICES.iter().map(|s| format!("&{}", names::constant(&s.module()))).collect();
    format!(
        "//! All operations of all known services: name, method, URI template, status of success; and what an operation\n\
         //! answers that is not served.\n\n\
         use crate::service::{{Protocol, Refusal, Service, named, rest}};\n\n\
         /// Every service that Tidegate knows.\n\
         pub(crate) static SERVICES: &[&Service] = &[{}];\n\n{refusals}\n{}",
        names.join(", "),
        tables.join("\n")
    )
}

/// `mod.rs`.
pub(crate) fn root(modules: &[String]) -> String {
    let modules: String = modules.iter().map(|m| format!("pub(crate) mod {m};\n")).collect();
    format!(
        "//! What the service models say: routes, types, constraints.\n\n\
         #![allow(dead_code, reason = \"a type has all members of its model, used or not\")]\n\n\
         pub(crate) mod routes;\n{modules}"
    )
}
