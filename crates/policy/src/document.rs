//! A policy document: text in, checked structure out.

use crate::{
    condition::{Condition, Operator},
    json::Json,
    template::Template,
};

/// What a statement does with what it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Allows it.
    Allow,
    /// Denies it, whatever others allow.
    Deny,
}

/// Why a text is not a policy document. AWS: `MalformedPolicyException`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedPolicy {
    /// Too many characters, white space not counted.
    #[error("the policy document has {characters} characters without white space; the limit is {characters_max}")]
    TooLarge {
        /// How many there are.
        characters: usize,
        /// How many there may be.
        characters_max: usize,
    },
    /// Not JSON, or a member is repeated.
    #[error("the policy document is not valid JSON: {0}")]
    Json(String),
    /// JSON, but not of the grammar. `at` is where, such as `Statement[1].Effect`.
    #[error("{at}: {problem}")]
    Structure {
        /// Path of the offending value; `document` for the whole.
        at: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// A policy document in normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Whether `${…}` are variables: from version 2012-10-17 on.
    pub(crate) variables: bool,
    pub(crate) statements: Box<[Statement]>,
}

/// One statement. Every list has at least one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) sid: Option<Box<str>>,
    pub(crate) effect: Effect,
    pub(crate) actions: Listed<Box<str>>,
    pub(crate) resources: Listed<Template>,
    pub(crate) conditions: Box<[Condition]>,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed<T> {
    /// Whether the list says what is *not* meant.
    pub(crate) negated: bool,
    pub(crate) items: Box<[T]>,
}

impl Document {
    /// Most characters of an AWS IoT policy, white space not counted.
    ///
    /// AWS: general reference, AWS IoT Core quotas: "Maximum policy document size 2048".
    pub const CHARACTERS_MAX: usize = 2048;
    /// Most bytes of a text that is looked at, white space included. AWS: the model's cap on `policyDocument`.
    pub const TEXT_BYTES_MAX: usize = 404_600;
    /// Most statements of a document.
    pub const STATEMENTS_MAX: usize = 1024;

    /// Reads an AWS IoT policy document.
    ///
    /// The structure is checked strictly; unknown action names are accepted, as AWS accepts them.
    pub fn parse(text: &str) -> Result<Self, MalformedPolicy> {
        Self::parse_within(text, Self::CHARACTERS_MAX)
    }

    /// Reads a document with at most `characters_max` characters without white space: IAM has limits of its own.
    pub fn parse_within(text: &str, characters_max: usize) -> Result<Self, MalformedPolicy> {
        let characters = text.chars().filter(|c| !c.is_whitespace()).count();
        if characters > characters_max {
            return Err(MalformedPolicy::TooLarge { characters, characters_max });
        }
        if text.len() > Self::TEXT_BYTES_MAX {
            return Err(MalformedPolicy::TooLarge { characters: text.len(), characters_max: Self::TEXT_BYTES_MAX });
        }
        let json = serde_json::from_str(text).map_err(|error| MalformedPolicy::Json(error.to_string()))?;
        document(&json)
    }

    /// How many statements it has.
    pub fn statement_count(&self) -> usize {
        self.statements.len()
    }

    /// The `Sid` of a statement, if it has one.
    pub fn sid(&self, statement: usize) -> Option<&str> {
        self.statements.get(statement)?.sid.as_deref()
    }
}

fn wrong<T>(at: &str, problem: impl Into<String>) -> Result<T, MalformedPolicy> {
    Err(MalformedPolicy::Structure { at: at.to_owned(), problem: problem.into() })
}

fn document(json: &Json) -> Result<Document, MalformedPolicy> {
    let (variables, list) = statements(json)?;
    let one = |(at, json): &(String, &Json)| statement(json, at, variables);
    let statements: Vec<Statement> = list.iter().map(one).collect::<Result<_, _>>()?;
    Ok(Document { variables, statements: statements.into() })
}

/// `NotPrincipal`?, and what is named.
pub(crate) type Principals = (bool, Json);

/// The statements of a trust policy and, apart, whom each of them names. They are on the role itself: they name no resource.
pub(crate) fn split_principals(
    text: &str,
    characters_max: usize,
) -> Result<(Vec<Statement>, Vec<Principals>), MalformedPolicy> {
    let characters = text.chars().filter(|c| !c.is_whitespace()).count();
    if characters > characters_max {
        return Err(MalformedPolicy::TooLarge { characters, characters_max });
    }
    let json = serde_json::from_str(text).map_err(|error| MalformedPolicy::Json(error.to_string()))?;
    let (variables, list) = statements(&json)?;
    let (mut rest_of_all, mut principals) = (Vec::new(), Vec::new());
    for (at, json) in list {
        let Json::Object(members) = json else { return wrong(&at, "it is not an object") };
        let is_principal = |name: &str| matches!(name, "Principal" | "NotPrincipal");
        let mut named = members.iter().filter(|(name, _)| is_principal(name));
        let (Some((name, value)), None) = (named.next(), named.next()) else {
            return wrong(&at, "a trust policy names its Principal once");
        };
        if members.iter().any(|(name, _)| matches!(name.as_str(), "Resource" | "NotResource")) {
            return wrong(&at, "Has prohibited field Resource");
        }
        let mut rest: Vec<_> = members.iter().filter(|(name, _)| !is_principal(name)).cloned().collect();
        rest.push(("Resource".to_owned(), Json::String("*".to_owned())));
        principals.push((name == "NotPrincipal", value.clone()));
        rest_of_all.push(statement(&Json::Object(rest), &at, variables)?);
    }
    Ok((rest_of_all, principals))
}

/// A value, and its place, such as `Statement[1]`.
type Placed<'j> = (String, &'j Json);

/// Whether a document's variables are such, and its statements, each with its place.
fn statements(json: &Json) -> Result<(bool, Vec<Placed<'_>>), MalformedPolicy> {
    let Json::Object(members) = json else { return wrong("document", "it is not a JSON object") };
    let (mut variables, mut statement_list) = (None, None);
    for (name, value) in members {
        match (name.as_str(), value) {
            ("Version", Json::String(version)) => match version.as_str() {
                "2012-10-17" => variables = Some(true),
                "2008-10-17" => variables = Some(false),
                _ => return wrong("Version", "it is neither 2012-10-17 nor 2008-10-17"),
            },
            ("Version", _) => return wrong("Version", "it is not a string"),
            ("Id", Json::String(_)) => {}
            ("Id", _) => return wrong("Id", "it is not a string"),
            ("Statement", value) => statement_list = Some(value),
            _ => return wrong(name, "the grammar has no such element"),
        }
    }
    // Without Version, AWS takes 2008-10-17: variables are off.
    let variables = variables.unwrap_or(false);
    match statement_list {
        None => wrong("document", "Statement is missing"),
        Some(single @ Json::Object(_)) => Ok((variables, vec![("Statement".to_owned(), single)])),
        Some(Json::Array(list)) if list.is_empty() => wrong("Statement", "it is empty"),
        Some(Json::Array(list)) if list.len() <= Document::STATEMENTS_MAX => {
            Ok((variables, list.iter().enumerate().map(|(i, one)| (format!("Statement[{i}]"), one)).collect()))
        }
        Some(Json::Array(_)) => wrong("Statement", "too many statements"),
        Some(_) => wrong("Statement", "it is neither an object nor a list"),
    }
}

fn statement(json: &Json, at: &str, variables: bool) -> Result<Statement, MalformedPolicy> {
    let Json::Object(members) = json else { return wrong(at, "it is not an object") };
    let (mut sid, mut effect, mut actions, mut resources) = (None, None, None, None);
    let mut conditions = Vec::new();
    for (name, value) in members {
        let here = format!("{at}.{name}");
        match (name.as_str(), value) {
            ("Sid", Json::String(text)) => sid = Some(text.as_str().into()),
            ("Sid", _) => return wrong(&here, "it is not a string"),
            ("Effect", Json::String(text)) if text == "Allow" => effect = Some(Effect::Allow),
            ("Effect", Json::String(text)) if text == "Deny" => effect = Some(Effect::Deny),
            ("Effect", _) => return wrong(&here, "it is neither Allow nor Deny"),
            ("Action" | "NotAction", value) => {
                let items = strings(value, &here)?.into_iter().map(Box::from).collect();
                let listed = Listed { negated: name == "NotAction", items };
                if actions.replace(listed).is_some() {
                    return wrong(at, "it has both Action and NotAction");
                }
            }
            ("Resource" | "NotResource", value) => {
                let items = strings(value, &here)?.into_iter().map(|text| Template::parse(text, variables)).collect();
                let listed = Listed { negated: name == "NotResource", items };
                if resources.replace(listed).is_some() {
                    return wrong(at, "it has both Resource and NotResource");
                }
            }
            ("Condition", Json::Object(operators)) => conditions = condition_block(operators, &here, variables)?,
            ("Condition", _) => return wrong(&here, "it is not an object"),
            ("Principal" | "NotPrincipal", _) => {
                return wrong(&here, "a policy attached to a principal does not name one");
            }
            _ => return wrong(&here, "the grammar has no such element"),
        }
    }
    let Some(effect) = effect else { return wrong(at, "Effect is missing") };
    let Some(actions) = actions else { return wrong(at, "Action is missing") };
    let Some(resources) = resources else { return wrong(at, "Resource is missing") };
    Ok(Statement { sid, effect, actions, resources, conditions: conditions.into() })
}

/// A string or a list of at least one; none of them empty.
fn strings<'j>(json: &'j Json, at: &str) -> Result<Vec<&'j str>, MalformedPolicy> {
    let one = |json: &'j Json| match json {
        Json::String(text) if !text.is_empty() => Ok(text.as_str()),
        Json::String(_) => wrong(at, "it is empty"),
        _ => wrong(at, "it is not a string"),
    };
    match json {
        Json::Array(list) if list.is_empty() => wrong(at, "it is empty"),
        Json::Array(list) => list.iter().map(one).collect(),
        single => Ok(vec![one(single)?]),
    }
}

/// `{ operator: { key: value | [value+] } }`
fn condition_block(operators: &[(String, Json)], at: &str, variables: bool) -> Result<Vec<Condition>, MalformedPolicy> {
    let mut conditions = Vec::new();
    for (name, keys) in operators {
        let here = format!("{at}.{name}");
        let Some(operator) = Operator::parse(name) else { return wrong(&here, "there is no such condition operator") };
        let Json::Object(keys) = keys else { return wrong(&here, "it is not an object") };
        for (key, values) in keys {
            let here = format!("{here}.{key}");
            let one = |json: &Json| match json {
                Json::String(text) => Ok(Template::parse(text, variables)),
                Json::Number(text) => Ok(Template::parse(text, false)),
                Json::Bool(value) => Ok(Template::parse(if *value { "true" } else { "false" }, false)),
                Json::Null | Json::Array(_) | Json::Object(_) => {
                    wrong(&here, "a condition value is a string, a number or a boolean")
                }
            };
            let values = match values {
                Json::Array(list) if list.is_empty() => return wrong(&here, "it is empty"),
                Json::Array(list) => list.iter().map(one).collect::<Result<_, _>>()?,
                single => Box::from([one(single)?]),
            };
            if key.is_empty() {
                return wrong(&here, "the condition key is empty");
            }
            conditions.push(Condition { name: name.as_str().into(), operator, key: key.as_str().into(), values });
        }
    }
    Ok(conditions)
}
