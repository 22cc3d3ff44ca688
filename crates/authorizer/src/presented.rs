//! What a client presents: its user name, headers and query, in which tokens are looked for.

use std::fmt;

use tidegate_ids::percent_decoded;

/// The parameter that names an authorizer, in any case. AWS: developer guide, "Connecting to AWS IoT Core by using custom
/// authentication".
pub const NAME_KEY: &str = "x-amz-customauthorizer-name";
/// The parameter with the token's signature, in Base64.
pub const SIGNATURE_KEY: &str = "x-amz-customauthorizer-signature";

/// What a client presents, as far as it is known. `Debug` shows nothing of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Presented {
    /// SNI.
    pub server_name: Option<String>,
    /// The certificate that the client showed, where that is asked for beside.
    pub certificate: Option<Certificate>,
    /// The HTTP request: one that publishes, or that made a WebSocket.
    pub http: Option<Http>,
    /// The CONNECT.
    pub mqtt: Option<Mqtt>,
}

/// A client certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    /// In PEM.
    pub pem: String,
    /// The certificate's id.
    pub principal_id: String,
}

/// An HTTP request.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Http {
    /// As they were sent.
    pub headers: Vec<(String, String)>,
    /// Without its question mark, as it was sent.
    pub query: String,
}

/// A CONNECT.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Mqtt {
    /// As it was sent: `user?x-amz-customauthorizer-name=…&…`.
    pub user_name: Option<String>,
    /// As it was sent.
    pub password: Option<Vec<u8>>,
    /// As it was sent; `None` when it is empty.
    pub client_id: Option<String>,
}

impl Presented {
    /// The first value of this name: of a parameter of the MQTT user name, else of a header, else of a parameter of the query.
    ///
    /// Parameters are percent-decoded; one that cannot be is not there. `+` stays: it is a digit of Base64. Unverified: AWS's order.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let user_name = self.mqtt.as_ref().and_then(|mqtt| mqtt.user_name.as_deref());
        let of_user_name = user_name.and_then(|text| text.split_once('?')).map(|(_, query)| query);
        let in_header = || {
            let mut headers = self.http.iter().flat_map(|http| &http.headers);
            headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
        };
        of_user_name
            .and_then(|query| in_query(query, name))
            .or_else(in_header)
            .or_else(|| self.http.as_ref().and_then(|http| in_query(&http.query, name)))
    }
}

/// The first value of that name in `query`. AWS's own names are taken in any case, others as they are.
fn in_query(query: &str, name: &str) -> Option<String> {
    let is_ours = name == NAME_KEY || name == SIGNATURE_KEY;
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let is_it = |known: &str| if is_ours { known.eq_ignore_ascii_case(name) } else { known == name };
    pairs.find(|(known, _)| is_it(known)).and_then(|(_, value)| percent_decoded(value))
}

macro_rules! opaque {
    ($($type:ident),+) => {
        $(impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($type), "(..)"))
            }
        })+
    };
}
opaque!(Presented, Certificate, Http, Mqtt);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_in_user_name_headers_and_query() {
        let mqtt = |user_name: &str| Presented {
            mqtt: Some(Mqtt { user_name: Some(user_name.into()), ..Mqtt::default() }),
            ..Presented::default()
        };
        let http = |headers: &[(&str, &str)], query: &str| Presented {
            http: Some(Http {
                headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
                query: query.into(),
            }),
            ..Presented::default()
        };
        for (presented, name, expected) in [
            (Presented::default(), NAME_KEY, None),
            (mqtt("user"), NAME_KEY, None),
            (mqtt("x-amz-customauthorizer-name=a"), NAME_KEY, None), // no query
            (mqtt("?x-amz-customauthorizer-name=a"), NAME_KEY, Some("a")),
            (mqtt("user?X-Amz-CustomAuthorizer-Name=a%2C1&t=x"), NAME_KEY, Some("a,1")),
            (mqtt("user?a=1&t=x%3D&t=y"), "t", Some("x=")),
            (mqtt("user?T=x"), "t", None),
            (mqtt("user?t"), "t", Some("")),
            (mqtt("user?t=%zz"), "t", None),
            (mqtt("user?x-amz-customauthorizer-signature=a+b/c%3D="), SIGNATURE_KEY, Some("a+b/c==")),
            (http(&[("X-Amz-CustomAuthorizer-Name", "h")], "x-amz-customauthorizer-name=q"), NAME_KEY, Some("h")),
            (http(&[("Token", "h")], "token=q"), "token", Some("h")),
            (http(&[], "a=b&token=q%20r"), "token", Some("q r")),
        ] {
            assert_eq!(presented.parameter(name).as_deref(), expected, "{name}");
        }
        let both = Presented { mqtt: mqtt("?token=m").mqtt, ..http(&[("token", "h")], "") };
        assert_eq!(both.parameter("token").as_deref(), Some("m"));
    }
}
