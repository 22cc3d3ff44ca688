//! Types, constraints and the dispatch of served operations: a file for each operation, `shapes.rs` for what they share.

use std::{collections::BTreeMap, fmt::Write as _};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{
    Files,
    model::{Location, Member, Model},
    names, pattern,
    served::Service,
};

/// Adds the files of one service.
pub(crate) fn generate(service: &Service, model: &Model, files: &mut Files) -> Result<()> {
    let module = service.module();
    let mut shapes = Shapes { model, known: service.types, constraints: BTreeMap::new(), types: BTreeMap::new() };
    let mut modules = String::new();
    let mut arms = String::new();
    for name in service.served {
        let operation = model.operation(name)?;
        let snake = names::snake(name);
        let mut out = format!("//! `{name}` of {}.\n\n{OPERATION_IMPORTS}\n", service.model);
        let input = match operation.input {
            Some(input) => model.members(input)?,
            None => Vec::new(),
        };
        writeln!(out, "/// Where each member of the input travels, and what it must satisfy.")?;
        writeln!(out, "pub(crate) static INPUT: &[Member] = &[{}];\n", shapes.table(&input)?)?;
        out += &structure("Input", "Deserialize", &shapes.fields(&input, Direction::In)?);
        let is_document = match operation.output {
            Some(output) => model.payload(output)?.is_some(),
            None => false,
        };
        if let Some(output) = operation.output.filter(|_| !is_document) {
            let output = model.members(output)?;
            out += &structure("Output", "Default, Serialize", &shapes.fields(&output, Direction::Out)?);
        }
        files.insert(format!("{module}/{snake}.rs").into(), out);
        writeln!(modules, "pub(crate) mod {snake};")?;
        let handled = format!("{module}::{snake}(call, call.input({snake}::INPUT).await?).await?");
        if is_document {
            writeln!(arms, "{name:?} => Ok(Reply::Document({handled})),")?;
        } else {
            writeln!(arms, "{name:?} => call.reply(&{handled}),")?;
        }
    }
    let root = format!(
        "//! Served operations of {}.\n\nuse crate::{{ApiError, {module}, call::{{Call, Reply}}}};\n\n{modules}pub(crate) mod shapes;\n\n\
         /// Their names.\n\
         pub(crate) static SERVED: &[&str] = &{served:?};\n\n\
         /// Answers a call; an operation without a handler is refused in the words of its model.\n\
         pub(crate) async fn serve(call: &Call<'_>) -> Result<Reply, ApiError> {{\n\
         match call.operation.name {{\n{arms}_ => Err(call.not_served()),\n}}\n}}\n",
        service.model,
        served = service.served,
    );
    files.insert(format!("{module}/mod.rs").into(), root);
    files.insert(format!("{module}/shapes.rs").into(), shapes.file(service)?);
    Ok(())
}

const OPERATION_IMPORTS: &str = "#[allow(unused_imports, reason = \"the same head in every file\")]\n\
    use {super::shapes::*, crate::{constraint::*, wire::{EpochSeconds, Iso8601}}, serde::{Deserialize, Serialize}, \
    tidegate_ids::{AuthorizerName, CaCertificateId, CertificateId, PolicyName, ThingGroupName, ThingName, ThingTypeName}};\n";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    In,
    Out,
}

/// The shapes that operations refer to, found while walking.
struct Shapes<'a> {
    model: &'a Model,
    /// Enumerations of other crates.
    known: &'static [(&'static str, &'static str)],
    /// Constant name → its definition.
    constraints: BTreeMap<String, String>,
    /// Type name → its definition.
    types: BTreeMap<String, String>,
}

impl Shapes<'_> {
    fn file(self, service: &Service) -> Result<String> {
        let mut out = format!("//! Shapes that operations of {} share.\n\n{SHAPES_IMPORTS}\n", service.model);
        for text in self.constraints.values().chain(self.types.values()) {
            writeln!(out, "{text}")?;
        }
        Ok(out)
    }

    /// The rows of a structure's table.
    fn table(&mut self, members: &[Member<'_>]) -> Result<String> {
        let mut rows = String::new();
        for member in members {
            let shape = self.constraint(member.shape)?;
            let name = member.name;
            let row = match member.location {
                Location::Body => format!("body({name:?}, &{shape})"),
                Location::Uri(at) => format!("uri({name:?}, {at:?}, &{shape})"),
                Location::Query(at) => format!("query({name:?}, {at:?}, &{shape})"),
                Location::Header(at) => format!("header({name:?}, {at:?}, &{shape})"),
            };
            writeln!(rows, "{row}{},", if member.required { ".required()" } else { "" })?;
        }
        Ok(rows)
    }

    /// Name of the constant that holds a shape's constraints.
    fn constraint(&mut self, name: &str) -> Result<String> {
        let model = self.model;
        let shape = model.shape(name)?;
        let number = |key: &str| shape.get(key).map(Value::to_string);
        let length = {
            let (min, max) = (number("min").unwrap_or("0".into()), number("max").unwrap_or("u64::MAX".into()));
            (number("min").is_some() || number("max").is_some()).then(|| format!(".length({min}, {max})"))
        };
        let constant = match names::constant(name) {
            // Names that `constraint` has already.
            taken if matches!(&*taken, "TEXT" | "BOOLEAN" | "FLOAT" | "TIMESTAMP" | "BLOB") => format!("{taken}_SHAPE"),
            free => free,
        };
        let value = match model.kind(name)? {
            "boolean" => return Ok("BOOLEAN".into()),
            "timestamp" => return Ok("TIMESTAMP".into()),
            "float" | "double" => return Ok("FLOAT".into()),
            "blob" => return Ok("BLOB".into()),
            "integer" | "long" => {
                let min = number("min").unwrap_or("i64::MIN".into());
                let max = number("max").unwrap_or("i64::MAX".into());
                format!("Shape::Integer {{ min: {min}, max: {max} }}")
            }
            "string" => match model.values(name)? {
                Some(values) => format!("Shape::OneOf(&{values:?})"),
                None => {
                    let pattern = shape.get("pattern").and_then(Value::as_str);
                    let pattern = pattern.map(|p| anyhow::Ok((p, pattern::expression(p)?))).transpose()?;
                    let pattern = pattern.and_then(|(text, node)| Some(format!(".pattern(r#\"{text}\"#, &{})", node?)));
                    let sensitive = shape.contains_key("sensitive").then(|| ".sensitive()".to_owned());
                    let rules: String = [length, pattern, sensitive].into_iter().flatten().collect();
                    if rules.is_empty() {
                        return Ok("TEXT".into());
                    }
                    format!("Shape::Text(Text::ANY{rules})")
                }
            },
            "list" => {
                let item = self.constraint(model.part(name, "member")?)?;
                format!("Shape::List(List::of(&{item}){})", length.unwrap_or_default())
            }
            "map" => {
                let (key, value) =
                    (self.constraint(model.part(name, "key")?)?, self.constraint(model.part(name, "value")?)?);
                format!("Shape::Map {{ key: &{key}, value: &{value} }}")
            }
            "structure" => {
                if self.constraints.get(&constant).is_some_and(String::is_empty) {
                    bail!("{name} contains itself: extend the generator");
                }
                if !self.constraints.contains_key(&constant) {
                    self.constraints.insert(constant.clone(), String::new());
                }
                format!("Shape::Structure(&[{}])", self.table(&model.members(name)?)?)
            }
            other => bail!("{name} is a {other}: extend the generator"),
        };
        self.constraints.insert(constant.clone(), format!("pub(crate) static {constant}: Shape = {value};\n"));
        Ok(constant)
    }

    /// The fields of a structure's type.
    fn fields(&mut self, members: &[Member<'_>], direction: Direction) -> Result<String> {
        let mut out = String::new();
        for Member { name, shape, required, location } in members {
            let field = names::field(name);
            let mut plain = self.rust(shape)?;
            if direction == Direction::In {
                plain = match (*shape, *location) {
                    ("CertificateId", Location::Uri("caCertificateId")) => "CaCertificateId".into(),
                    ("CertificateId", _) => "CertificateId".into(),
                    ("ShadowName", _) => "tidegate_ids::ShadowName".into(),
                    ("DomainConfigurationName" | "ReservedDomainConfigurationName", _) => {
                        "tidegate_ids::DomainConfigurationName".into()
                    }
                    (
                        name @ ("AuthorizerName" | "PolicyName" | "ThingGroupName" | "ThingName" | "ThingTypeName"),
                        _,
                    ) => name.to_string(),
                    _ => plain,
                };
            }
            let rename = (camel(&field) != *name).then(|| format!("rename = {name:?}"));
            let skip = (direction == Direction::Out).then(|| "skip_serializing_if = \"Option::is_none\"".to_owned());
            let attributes: Vec<_> = [rename, skip].into_iter().flatten().collect();
            if !attributes.is_empty() {
                writeln!(out, "#[serde({})]", attributes.join(", "))?;
            }
            if *required && direction == Direction::In {
                writeln!(out, "pub(crate) {field}: {plain},")?;
            } else {
                writeln!(out, "pub(crate) {field}: Option<{plain}>,")?;
            }
        }
        Ok(out)
    }

    /// The Rust type of a shape.
    fn rust(&mut self, name: &str) -> Result<String> {
        let model = self.model;
        Ok(match model.kind(name)? {
            "boolean" => "bool".into(),
            "blob" => "crate::wire::Blob".into(),
            "integer" => "i32".into(),
            "long" => "i64".into(),
            "float" | "double" => "f64".into(),
            "timestamp" if model.metadata("protocol") == "query" => "Iso8601".into(),
            "timestamp" => "EpochSeconds".into(),
            "string" => match model.values(name)? {
                Some(values) => match self.known.iter().find(|(shape, _)| *shape == name) {
                    Some((_, known)) => (*known).into(),
                    None => self.enumeration(name, &values)?,
                },
                None => "String".into(),
            },
            "list" => format!("Vec<{}>", self.rust(model.part(name, "member")?)?),
            "map" => {
                format!("std::collections::BTreeMap<String, {}>", self.rust(model.part(name, "value")?)?)
            }
            "structure" => {
                let ident = names::pascal(name);
                if !self.types.contains_key(&ident) {
                    self.types.insert(ident.clone(), String::new());
                    let members = model.members(name)?;
                    let fields = self.fields(&members, Direction::Out)?;
                    let definition = structure(&ident, "Clone, Default, Deserialize, Serialize", &fields);
                    self.types.insert(ident.clone(), definition);
                }
                ident
            }
            other => bail!("{name} is a {other}: extend the generator"),
        })
    }

    fn enumeration(&mut self, name: &str, values: &[&str]) -> Result<String> {
        let ident = names::pascal(name);
        let mut out = format!(
            "#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]\npub(crate) enum {ident} {{\n"
        );
        for value in values {
            let variant = names::pascal(&value.to_ascii_lowercase());
            let first = variant.chars().next().with_context(|| format!("{name} has an empty value"))?;
            let variant = if first.is_ascii_digit() { format!("_{variant}") } else { variant };
            if variant == *value {
                writeln!(out, "{variant},")?;
            } else {
                writeln!(out, "#[serde(rename = {value:?})]\n{variant},")?;
            }
        }
        out += "}\n";
        self.types.insert(ident.clone(), out);
        Ok(ident)
    }
}

const SHAPES_IMPORTS: &str = "#[allow(unused_imports, reason = \"the same head in every file\")]\n\
    use {crate::{constraint::*, wire::{EpochSeconds, Iso8601}}, serde::{Deserialize, Serialize}};\n";

fn structure(ident: &str, derives: &str, fields: &str) -> String {
    if fields.is_empty() {
        return format!("#[derive({derives})]\npub(crate) struct {ident} {{}}\n\n");
    }
    format!("#[derive({derives})]\n#[serde(rename_all = \"camelCase\")]\npub(crate) struct {ident} {{\n{fields}}}\n\n")
}

/// What serde's `camelCase` makes of a field's name.
fn camel(field: &str) -> String {
    let pascal = names::pascal(field.trim_start_matches("r#"));
    pascal[..1].to_ascii_lowercase() + &pascal[1..]
}
