//! One call of one operation: who calls, what is asked, and how input and output pass.

use std::net::IpAddr;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tidegate_ids::{Now, Tenant};
use tidegate_registry::{Credential, PageRequest, Registry};

use crate::{
    Api, ApiError, authorize,
    binding::{self, BindFault, Request},
    constraint::{self, Fault, Member},
    service::{Labels, Operation, Protocol, Service},
};

/// Who signed a request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The account that owns the key, in the region of the credential scope.
    pub(crate) tenant: Tenant,
    /// The identity that the key stands for, and what it may do.
    pub(crate) credential: Credential,
    /// Where the request came from.
    pub(crate) source_ip: IpAddr,
    /// Whether it came over TLS.
    pub(crate) secure: bool,
}

/// A call whose signature has been checked.
pub(crate) struct Call<'a> {
    pub(crate) api: &'a Api,
    pub(crate) service: &'static Service,
    pub(crate) operation: &'static Operation,
    pub(crate) caller: &'a Caller,
    pub(crate) now: Now,
    pub(crate) request: &'a Request<'a>,
    pub(crate) labels: Labels<'a>,
}

/// What an operation answers.
pub(crate) enum Reply {
    /// Nothing: its model has no output.
    Empty,
    /// Its output, in the form of the protocol.
    Output(Value),
    /// The body as it is: a JSON document whose members the model does not name.
    Document(Vec<u8>),
}

impl Call<'_> {
    /// What all operations of AWS IoT work on.
    pub(crate) fn registry(&self) -> &Registry {
        &self.api.registry
    }

    /// Whose things the call is about.
    pub(crate) fn tenant(&self) -> Tenant {
        self.caller.tenant
    }

    /// The operation's input, held against its model; for whom the policies allow the operation on what it names.
    ///
    /// **Invariant:** this is the only way to an input, so nothing is done, or told of any resource, before it is allowed.
    pub(crate) async fn input<T: DeserializeOwned>(&self, shape: &[Member]) -> Result<T, ApiError> {
        let input =
            binding::bind(self.service.protocol, shape, self.request, &self.labels).map_err(|fault| match fault {
                BindFault::MediaType(found) => ApiError::new(
                    "UnsupportedMediaTypeException",
                    415,
                    format!("A body of type {found} is not understood"),
                ),
                BindFault::Unreadable(why) => self.unreadable(why),
            })?;
        authorize::allow(self, &input).await?;
        constraint::check(shape, &input).map_err(|fault| match fault {
            Fault::Kind(text) => self.unreadable(text),
            Fault::Constraint(text) => self.invalid(text),
        })?;
        // What is left to find: values that satisfy the model and are no identifier, such as `0x` with 62 digits.
        serde_json::from_value(Value::Object(input)).map_err(|error| self.invalid(error.to_string()))
    }

    /// The answer that carries `output`; `()` stands for an operation without output.
    pub(crate) fn reply<T: Serialize>(&self, output: &T) -> Result<Reply, ApiError> {
        match serde_json::to_value(output) {
            Ok(Value::Null) => Ok(Reply::Empty),
            Ok(value) => Ok(Reply::Output(value)),
            Err(error) => Err(ApiError::new("InternalFailureException", 500, error.to_string())),
        }
    }

    /// The answer of a real operation that Tidegate does not serve, in the words of its own model.
    pub(crate) fn not_served(&self) -> ApiError {
        let text = format!("Tidegate does not serve {} of {}", self.operation.name, self.service.name);
        ApiError::refused(self.operation.refusal, text)
    }

    /// The input breaks a rule. AWS: query services say `ValidationError`.
    pub(crate) fn invalid(&self, message: impl Into<String>) -> ApiError {
        match self.service.protocol {
            Protocol::Query => ApiError::new("ValidationError", 400, message),
            // DeleteRegistrationCode and its like declare no error for a wrong request; they have nothing to be wrong.
            Protocol::RestJson | Protocol::Json if self.operation.refusal.status == 501 => {
                ApiError::new("ValidationException", 400, message)
            }
            Protocol::RestJson | Protocol::Json => ApiError::refused(self.operation.refusal, message),
        }
    }

    /// The input cannot be read. Unverified: that `iot` answers as for any wrong request, and does not say
    /// `SerializationException` as services with `X-Amz-Target` do.
    fn unreadable(&self, message: String) -> ApiError {
        match self.service.protocol {
            Protocol::Json => ApiError::new("SerializationException", 400, message),
            Protocol::RestJson | Protocol::Query => self.invalid(message),
        }
    }
}

/// The page that a listing asks for. Sizes have been checked against the model.
pub(crate) fn page(size: Option<i32>, marker: Option<String>, ascending: Option<bool>) -> PageRequest {
    PageRequest { size: size.and_then(|s| u32::try_from(s).ok()), marker, ascending: ascending.unwrap_or(false) }
}
