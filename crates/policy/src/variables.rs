//! The values that `${…}` and condition keys stand for.

use std::net::IpAddr;

use tidegate_ids::{CertificateId, Timestamp};

/// Names of variables and condition keys.
pub mod keys {
    /// The client id of the connection.
    pub const CLIENT_ID: &str = "iot:ClientId";
    /// The id of the connecting certificate.
    pub const CERTIFICATE_ID: &str = "iot:CertificateId";
    /// The certificate's own serial number.
    pub const SERIAL_NUMBER: &str = "iot:Certificate.SerialNumber";
    /// Which attributes the certificate has. Unverified: AWS's spelling of the items; ours is `Subject.CommonName`.
    pub const AVAILABLE_KEYS: &str = "iot:Certificate.AvailableKeys";
    /// Where the client connects from.
    pub const SOURCE_IP: &str = "aws:SourceIp";
    /// The present moment, for `Date…` operators.
    pub const CURRENT_TIME: &str = "aws:CurrentTime";
    /// The present moment in seconds since 1970, for `Date…` and `Numeric…` operators.
    pub const EPOCH_TIME: &str = "aws:EpochTime";
    /// `PersistentConnect`, `LastWill`: what a CONNECT asks for.
    pub const CONNECT_ATTRIBUTES: &str = "iot:ConnectAttributes";
    /// The ARN of the Will's topic.
    pub const LAST_WILL_TOPIC: &str = "iot:LastWillTopic";
    /// The domain name the client connected to.
    pub const DOMAIN_NAME: &str = "iot:DomainName";
    /// Name of the thing the connection stands for.
    pub const THING_NAME: &str = "iot:Connection.Thing.ThingName";
    /// Name of that thing's type.
    pub const THING_TYPE_NAME: &str = "iot:Connection.Thing.ThingTypeName";
    /// Before the name of an attribute of that thing in brackets.
    pub const THING_ATTRIBUTES: &str = "iot:Connection.Thing.Attributes";
    /// `true` or `false`: whether the certificate is attached to that thing.
    pub const THING_IS_ATTACHED: &str = "iot:Connection.Thing.IsAttached";
    /// The thing that a principal is attached to or detached from: its ARN.
    pub const THING_ARN: &str = "iot:thingArn";
    /// The name of the IAM user who signs.
    pub const USER_NAME: &str = "aws:username";
    /// The id of the IAM identity that signs.
    pub const USER_ID: &str = "aws:userid";
    /// The ARN of the IAM identity that signs; of a session, its role's.
    pub const PRINCIPAL_ARN: &str = "aws:PrincipalArn";
    /// `Account`, `User` or `AssumedRole`.
    pub const PRINCIPAL_TYPE: &str = "aws:PrincipalType";
    /// The account of the identity that signs.
    pub const PRINCIPAL_ACCOUNT: &str = "aws:PrincipalAccount";
    /// When temporary credentials were made, for `Date…` operators.
    pub const TOKEN_ISSUE_TIME: &str = "aws:TokenIssueTime";
    /// `true` or `false`: whether the request came over TLS.
    pub const SECURE_TRANSPORT: &str = "aws:SecureTransport";
    /// The region of the request.
    pub const REQUESTED_REGION: &str = "aws:RequestedRegion";
    /// The keys of the tags that the request brings.
    pub const TAG_KEYS: &str = "aws:TagKeys";
    /// Before the key of a tag that the request brings.
    pub const REQUEST_TAG: &str = "aws:RequestTag/";
    /// Before the key of a tag that the resource has.
    pub const RESOURCE_TAG: &str = "aws:ResourceTag/";
    /// What a trust policy asks of who takes on a role from outside.
    pub const EXTERNAL_ID: &str = "sts:ExternalId";
}

/// Whether this variable or condition key is one that a certificate's own text answers.
pub(crate) fn is_of_certificate(name: &str) -> bool {
    const PREFIX: &str = "iot:Certificate.";
    name.get(..PREFIX.len()).is_some_and(|head| head.eq_ignore_ascii_case(PREFIX))
}

/// Whose name a certificate attribute belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateName {
    /// The certificate's subject.
    Subject,
    /// Its issuer.
    Issuer,
}

macro_rules! attributes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// An attribute of a certificate's subject or issuer that policies can speak of.
        ///
        /// AWS: developer guide, "X.509 Certificate AWS IoT Core policy variables".
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum CertificateAttribute { $($(#[$doc])* $variant,)* }

        impl CertificateAttribute {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name behind `iot:Certificate.Subject.`
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

attributes! {
    /// `dnQualifier`, 2.5.4.46
    DistinguishedNameQualifier = "DistinguishedNameQualifier",
    /// `C`, 2.5.4.6
    Country = "Country",
    /// `O`, 2.5.4.10
    Organization = "Organization",
    /// `OU`, 2.5.4.11
    OrganizationalUnit = "OrganizationalUnit",
    /// `ST`, 2.5.4.8
    State = "State",
    /// `CN`, 2.5.4.3
    CommonName = "CommonName",
    /// `serialNumber`, 2.5.4.5: an attribute of the name, not the certificate's number
    SerialNumber = "SerialNumber",
    /// `title`, 2.5.4.12
    Title = "Title",
    /// `SN`, 2.5.4.4
    Surname = "Surname",
    /// `GN`, 2.5.4.42
    GivenName = "GivenName",
    /// `initials`, 2.5.4.43
    Initials = "Initials",
    /// `pseudonym`, 2.5.4.65
    Pseudonym = "Pseudonym",
    /// `generationQualifier`, 2.5.4.44
    GenerationQualifier = "GenerationQualifier",
    /// E-mail addresses of the alternative name
    Rfc822Name = "AlternativeName.RFC822Name",
    /// Host names of the alternative name
    DnsName = "AlternativeName.DNSName",
    /// Directory names of the alternative name
    DirectoryName = "AlternativeName.DirectoryName",
    /// URIs of the alternative name
    UniformResourceIdentifier = "AlternativeName.UniformResourceIdentifier",
    /// Addresses of the alternative name
    IpAddress = "AlternativeName.IPAddress",
}

/// What names of thing variables begin with, and what they began with in old policies.
const THING: &str = "iot:Connection.Thing.";
const LEGACY_THING: &str = "iot:Thing.";

/// What is known about a connection: the dictionary behind `${…}` and condition keys.
///
/// Names are compared exactly, then without regard to ASCII case. Thing variables are slots like all others, unbound
/// until [`Variables::set`] gives them a value.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Variables {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: Box<str>,
    values: Box<[Box<str>]>,
    /// Certificate values are substituted with backslashes before special characters.
    from_certificate: bool,
}

/// What `${name}` becomes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Substitution {
    Value(String),
    /// No such value.
    Missing,
    /// There is one, but it could act as a wildcard, or is too long: the text stays as it is and matches nothing.
    Unsafe,
}

impl Variables {
    /// Most items of a list-valued attribute that are looked at. AWS: "limited to five items".
    pub const ITEMS_MAX: usize = 5;
    /// Longest value that is substituted, in characters. AWS: "limited to 1024 characters".
    pub const CHARACTERS_MAX: usize = 1024;

    /// Nothing known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives `name` its values, in place of those it had. Of a list, the first five count.
    pub fn set<T: Into<Box<str>>>(&mut self, name: &str, values: impl IntoIterator<Item = T>) -> &mut Self {
        self.put(name, values, false)
    }

    /// `${iot:ClientId}`
    pub fn client_id(&mut self, client_id: &str) -> &mut Self {
        self.set(keys::CLIENT_ID, [client_id])
    }

    /// `${iot:CertificateId}`
    pub fn certificate_id(&mut self, id: &CertificateId) -> &mut Self {
        self.set(keys::CERTIFICATE_ID, [id.to_string()])
    }

    /// `${aws:SourceIp}`. An IPv4 address mapped into IPv6 counts as IPv4.
    pub fn source_ip(&mut self, address: IpAddr) -> &mut Self {
        self.set(keys::SOURCE_IP, [address.to_canonical().to_string()])
    }

    /// `${iot:Certificate.SerialNumber}`
    pub fn serial_number(&mut self, serial_number: &str) -> &mut Self {
        self.put(keys::SERIAL_NUMBER, [serial_number], true)
    }

    /// An attribute of the certificate's subject or issuer, such as `${iot:Certificate.Subject.CommonName}`, with all its
    /// values in order; also lists it in `iot:Certificate.AvailableKeys`.
    pub fn certificate_attribute<T: Into<Box<str>>>(
        &mut self,
        of: CertificateName,
        attribute: CertificateAttribute,
        values: impl IntoIterator<Item = T>,
    ) -> &mut Self {
        let of = match of {
            CertificateName::Subject => "Subject",
            CertificateName::Issuer => "Issuer",
        };
        let key = format!("{of}.{}", attribute.name());
        let name = format!("iot:Certificate.{key}");
        self.put(&name, values, true);
        if self.entries.last().is_none_or(|entry| *entry.name != *name) {
            return self; // there was no value: the certificate does not have the attribute
        }
        let available = self.entries.iter().position(|entry| *entry.name == *keys::AVAILABLE_KEYS);
        match available.map(|at| &mut self.entries[at]) {
            Some(entry) if entry.values.iter().any(|known| **known == *key) => {}
            Some(entry) => {
                let mut known = std::mem::take(&mut entry.values).into_vec();
                known.push(key.into());
                entry.values = known.into();
            }
            None => self.entries.push(Entry {
                name: keys::AVAILABLE_KEYS.into(),
                values: [key.into()].into(),
                from_certificate: false,
            }),
        }
        self
    }

    /// `${iot:Connection.Thing.…}`: the thing that the connection stands for, its type, each attribute as `Attributes[name]`, and
    /// whether the certificate is attached to it.
    ///
    /// AWS: developer guide, "Thing policy variables".
    pub fn thing<'a>(
        &mut self,
        name: &str,
        type_name: Option<&str>,
        attributes: impl IntoIterator<Item = (&'a str, &'a str)>,
        is_attached: bool,
    ) -> &mut Self {
        self.set(keys::THING_NAME, [name]).set(keys::THING_TYPE_NAME, type_name);
        self.set(keys::THING_IS_ATTACHED, [if is_attached { "true" } else { "false" }]);
        for (attribute, value) in attributes {
            self.set(&format!("{}[{attribute}]", keys::THING_ATTRIBUTES), [value]);
        }
        self
    }

    fn put<T: Into<Box<str>>>(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = T>,
        from_certificate: bool,
    ) -> &mut Self {
        self.entries.retain(|entry| *entry.name != *name);
        let values: Box<[Box<str>]> = values.into_iter().take(Self::ITEMS_MAX).map(Into::into).collect();
        if !values.is_empty() {
            self.entries.push(Entry { name: name.into(), values, from_certificate });
        }
        self
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        let present = name.strip_prefix(LEGACY_THING).map(|rest| format!("{THING}{rest}"));
        let name = present.as_deref().unwrap_or(name);
        let exact = self.entries.iter().find(|entry| *entry.name == *name);
        exact.or_else(|| self.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name)))
    }

    /// The entry that `name` names, and which of its values: the bare name means the first, `.N` the one after N others,
    /// `.List` all of them.
    fn find(&self, name: &str) -> Option<(&Entry, &[Box<str>])> {
        if let Some(entry) = self.entry(name) {
            return Some((entry, &entry.values[..1]));
        }
        let (base, suffix) = name.rsplit_once('.')?;
        if suffix.eq_ignore_ascii_case("List") {
            return self.entry(base).map(|entry| (entry, &*entry.values));
        }
        // AWS's text counts from one, its example from zero: the example is followed.
        let index: usize = suffix.bytes().all(|b| b.is_ascii_digit()).then(|| suffix.parse().ok())??;
        let entry = self.entry(base)?;
        entry.values.get(index..=index).map(|value| (entry, value))
    }

    /// What `${name}` becomes in a text.
    ///
    /// AWS: developer guide, "X.509 Certificate AWS IoT Core policy variables", the limitations. The rule on wildcard
    /// characters is applied to every variable, so that no client id can widen a policy either.
    pub(crate) fn substitution(&self, name: &str) -> Substitution {
        let Some((entry, values)) = self.find(name) else { return Substitution::Missing };
        let Some(value) = values.first() else { return Substitution::Missing };
        if value.contains(['*', '$', '+', '?', '#']) || value.chars().nth(Self::CHARACTERS_MAX).is_some() {
            return Substitution::Unsafe;
        }
        if !entry.from_certificate {
            return Substitution::Value(value.to_string());
        }
        let mut text = String::with_capacity(value.len());
        for character in value.chars() {
            if matches!(character, ',' | '"' | '\\' | '=' | '<' | '>' | ';') {
                text.push('\\');
            }
            text.push(character);
        }
        Substitution::Value(text)
    }

    /// The values of the condition key `key`. A bare certificate attribute means its first value, `.List` all of them;
    /// other keys mean all they have.
    pub(crate) fn condition_values(&self, key: &str) -> Option<&[Box<str>]> {
        match self.entry(key) {
            Some(entry) if !entry.from_certificate => Some(&entry.values),
            _ => self.find(key).map(|(_, values)| values),
        }
    }
}

/// What is known only when an access is asked for.
#[derive(Debug, Default, Clone, Copy)]
pub struct RequestContext<'a> {
    /// The present moment: `aws:CurrentTime`, `aws:EpochTime`.
    pub now: Timestamp,
    /// Further condition keys with their values, such as [`keys::CONNECT_ATTRIBUTES`] at CONNECT.
    /// Keys that [`Variables`] already holds are not looked up here.
    pub values: &'a [(&'a str, &'a [&'a str])],
}

impl RequestContext<'_> {
    /// Nothing known but the time.
    pub const fn at(now: Timestamp) -> Self {
        Self { now, values: &[] }
    }
}
