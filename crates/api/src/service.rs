//! Services and their operations, and which operation a request means.

/// A service of AWS, as its model describes it.
pub(crate) struct Service {
    /// botocore's name: `iot`, `iot-data`, `sts`, …
    pub(crate) name: &'static str,
    /// Names of the service in a SigV4 credential scope.
    pub(crate) scopes: &'static [&'static str],
    pub(crate) protocol: Protocol,
    /// What stands before the dot in `X-Amz-Target`.
    pub(crate) target_prefix: &'static str,
    /// Namespace of XML answers.
    pub(crate) xml_namespace: &'static str,
    pub(crate) operations: &'static [Operation],
}

/// How a service's operations travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Method and path name the operation; members in path, query, headers and a JSON body.
    RestJson,
    /// `X-Amz-Target` names the operation; all members in a JSON body.
    Json,
    /// `Action=` names the operation; members in a form, answers in XML.
    Query,
}

/// An operation of a service.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// Empty where the path says nothing.
    pub(crate) method: &'static str,
    /// Such as `/things/{thingName}/jobs/{jobId}`; `{arn+}` takes all that is left.
    pub(crate) uri: &'static str,
    /// HTTP status of success.
    pub(crate) status: u16,
    /// How the operation says that a request is wrong; also its answer while it is not served.
    pub(crate) refusal: Refusal,
}

/// An error out of an operation's model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) name: &'static str,
    pub(crate) status: u16,
}

pub(crate) const fn rest(name: &'static str, method: &'static str, uri: &'static str, refusal: Refusal) -> Operation {
    Operation { name, method, uri, status: 200, refusal }
}

pub(crate) const fn named(name: &'static str, refusal: Refusal) -> Operation {
    Operation { name, method: "", uri: "/", status: 200, refusal }
}

impl Operation {
    #[allow(dead_code, reason = "the generated table uses it when a model has another status than 200")]
    pub(crate) const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
}

/// Labels of a matched path, as sent: not decoded.
pub(crate) type Labels<'a> = Vec<(&'static str, &'a str)>;

impl Service {
    /// The operation called `name`.
    pub(crate) fn named(&self, name: &str) -> Option<&'static Operation> {
        self.operations.iter().find(|o| o.name == name)
    }

    /// The operation that `method` on `raw_path` means, with the path's labels. Nothing is decoded: an encoded slash does
    /// not divide. Of several templates the one wins whose first different segment is a literal.
    pub(crate) fn at<'a>(&self, method: &str, raw_path: &'a str) -> Option<(&'static Operation, Labels<'a>)> {
        let candidates = self.operations.iter().filter(|o| o.method == method);
        let matches = candidates.filter_map(|o| labels(o.uri, raw_path).map(|labels| (o, labels)));
        matches.min_by_key(|(o, _)| specificity(o.uri))
    }
}

/// Orders templates: literals before labels before greedy labels, segment by segment.
fn specificity(template: &str) -> Vec<u8> {
    let rank = |segment: &str| match segment {
        s if s.ends_with("+}") => 2,
        s if s.starts_with('{') => 1,
        _ => 0,
    };
    template.split('/').skip(1).map(rank).collect()
}

/// The labels of `raw_path` under `template`; `None` when it does not match. Labels are never empty.
fn labels<'a>(template: &'static str, raw_path: &'a str) -> Option<Labels<'a>> {
    let mut rest = Some(raw_path.strip_prefix('/')?);
    let mut labels = Labels::new();
    for part in template.strip_prefix('/')?.split('/') {
        let label = part.strip_prefix('{').and_then(|p| p.strip_suffix('}'));
        if let Some(greedy) = label.and_then(|l| l.strip_suffix('+')) {
            labels.push((greedy, rest.filter(|all| !all.is_empty())?));
            return Some(labels);
        }
        let segment = rest.map(|r| r.split_once('/').map_or((r, None), |(segment, tail)| (segment, Some(tail))));
        match (label, segment) {
            (Some(name), Some((segment, _))) if !segment.is_empty() => labels.push((name, segment)),
            (None, Some((segment, _))) if segment == part => {}
            // `/authorizers/` is meant by `/authorizers` too.
            (None, None) if part.is_empty() => {}
            (Some(_) | None, _) => return None,
        }
        rest = segment.and_then(|(_, tail)| tail);
    }
    if rest.is_some() { None } else { Some(labels) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated::routes::SERVICES;

    fn service(name: &str) -> &'static Service {
        SERVICES.iter().find(|s| s.name == name).unwrap()
    }

    #[test]
    fn raw_paths_name_operations() {
        let iot = service("iot");
        for (method, path, expected) in [
            ("GET", "/registrationcode", Some(("GetRegistrationCode", vec![]))),
            ("POST", "/registrationcode", None),
            ("GET", "/certificates", Some(("ListCertificates", vec![]))),
            ("POST", "/certificates", Some(("CreateCertificateFromCsr", vec![]))),
            ("GET", "/certificates/", None),
            ("GET", "/certificates/ab", Some(("DescribeCertificate", vec![("certificateId", "ab")]))),
            ("POST", "/certificate/register", Some(("RegisterCertificate", vec![]))),
            ("GET", "/authorizers/", Some(("ListAuthorizers", vec![]))),
            ("GET", "/authorizers", Some(("ListAuthorizers", vec![]))),
            ("GET", "/authorizers/x", None),
            ("POST", "/policies/a%2Fb", Some(("CreatePolicy", vec![("policyName", "a%2Fb")]))),
            ("POST", "/policies/a+b%2B", Some(("CreatePolicy", vec![("policyName", "a+b%2B")]))),
            ("POST", "/policies/a/b", None),
            (
                "GET",
                "/policies/p/version/3",
                Some(("GetPolicyVersion", vec![("policyName", "p"), ("policyVersionId", "3")])),
            ),
            (
                "POST",
                "/attached-policies/arn%3Aaws%3Aiot%3Acert%2Fabc",
                Some(("ListAttachedPolicies", vec![("target", "arn%3Aaws%3Aiot%3Acert%2Fabc")])),
            ),
            (
                "GET",
                "/destinations/arn%3Aaws%3Aruledestination/http/abc",
                Some(("GetTopicRuleDestination", vec![("arn", "arn%3Aaws%3Aruledestination/http/abc")])),
            ),
            ("GET", "/destinations/", None),
            ("GET", "/destinations", Some(("ListTopicRuleDestinations", vec![]))),
            ("GET", "/nope", None),
            ("GET", "/", None),
            ("GET", "//certificates", None),
            ("GET", "certificates", None),
            ("GET", "", None),
        ] {
            let found = iot.at(method, path).map(|(o, labels)| (o.name, labels));
            assert_eq!(found, expected, "{method} {path}");
        }
    }

    #[test]
    fn literals_win_over_labels() {
        let iot = service("iot");
        for (method, path, expected) in [
            ("PUT", "/thing-groups/addThingToThingGroup", "AddThingToThingGroup"),
            ("PUT", "/billing-groups/removeThingFromBillingGroup", "RemoveThingFromBillingGroup"),
        ] {
            assert_eq!(iot.at(method, path).map(|(o, _)| o.name), Some(expected), "{path}");
        }
    }

    #[test]
    fn an_encoded_topic_is_one_label() {
        let (operation, labels) = service("iot-data").at("POST", "/topics/a%2Fb%20c%2F%24x").unwrap();
        assert_eq!((operation.name, labels), ("Publish", vec![("topic", "a%2Fb%20c%2F%24x")]));
        let (operation, labels) = service("iot-jobs-data").at("PUT", "/things/t/jobs/$next").unwrap();
        assert_eq!((operation.name, labels), ("StartNextPendingJobExecution", vec![("thingName", "t")]));
    }

    #[test]
    fn each_operation_is_found_by_its_own_template() {
        for service in SERVICES.iter().filter(|s| s.protocol == Protocol::RestJson) {
            for operation in service.operations {
                let path = operation.uri.replace(['{', '}', '+'], "");
                let found = service.at(operation.method, &path).map(|(o, _)| o.name);
                assert_eq!(found, Some(operation.name), "{} {path}", operation.method);
            }
        }
    }
}
