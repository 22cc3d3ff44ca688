//! The same language, interpreted straight from the JSON and as plainly as can be: the compiler's second opinion.

use std::collections::HashMap;

use serde_json::Value;

pub(super) type Dictionary = HashMap<String, Vec<String>>;

/// `Allow`, `Deny` (explicit), or `None`.
pub(super) fn decide(documents: &[Value], action: &str, arn: &str, known: &Dictionary) -> Option<&'static str> {
    let mut answer = None;
    for document in documents {
        let variables = document["Version"] == "2012-10-17";
        for statement in list(&document["Statement"]) {
            let deny = statement["Effect"] == "Deny";
            if applies(statement, action, arn, known, variables, deny) {
                if deny {
                    return Some("Deny");
                }
                answer = Some("Allow");
            }
        }
    }
    answer
}

fn list(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |items| items.iter().collect())
}

fn applies(statement: &Value, action: &str, arn: &str, known: &Dictionary, variables: bool, deny: bool) -> bool {
    let on_action = |pattern: &Value| {
        let pattern = pattern.as_str().unwrap().to_lowercase();
        glob(&symbols(&pattern, None).unwrap(), &action.to_lowercase())
    };
    let action_fits = match (statement.get("Action"), statement.get("NotAction")) {
        (Some(actions), _) => list(actions).into_iter().any(on_action),
        (_, not) => !list(not.unwrap()).into_iter().any(on_action),
    };
    let expanded = |value: &Value| symbols(value.as_str().unwrap(), variables.then_some(known));
    let resource_fits = match (statement.get("Resource"), statement.get("NotResource")) {
        (Some(resources), _) => {
            list(resources).into_iter().any(|r| expanded(r).is_some_and(|symbols| glob(&symbols, arn)))
        }
        (_, not) => {
            let all: Vec<_> = list(not.unwrap()).into_iter().map(expanded).collect();
            (deny || all.iter().all(Option::is_some)) && !all.iter().flatten().any(|symbols| glob(symbols, arn))
        }
    };
    let conditions = statement.get("Condition").and_then(Value::as_object);
    let conditions_hold = conditions.is_none_or(|operators| {
        operators.iter().all(|(operator, keys)| {
            keys.as_object()
                .unwrap()
                .iter()
                .all(|(key, values)| condition(operator, key, &list(values), known, variables, deny))
        })
    });
    action_fits && resource_fits && conditions_hold
}

fn condition(operator: &str, key: &str, values: &[&Value], known: &Dictionary, variables: bool, deny: bool) -> bool {
    let found = known.get(key);
    let (set, operator) = operator.split_once(':').unwrap_or(("", operator));
    let (operator, if_exists) =
        operator.strip_suffix("IfExists").map_or((operator, false), |operator| (operator, true));
    if operator == "Null" {
        return values.iter().any(|v| (v.as_str() == Some("true")) == found.is_none());
    }
    let negated = operator.contains("Not");
    let wanted: Vec<_> = values.iter().map(|v| symbols(v.as_str().unwrap(), variables.then_some(known))).collect();
    // The one value that is withheld here is that of `wild`.
    let withheld = variables && values.iter().any(|v| v.as_str().unwrap().contains("${wild}"));
    if negated && !deny && wanted.contains(&None) {
        return false;
    }
    let one = |value: &String| {
        let hit = wanted.iter().flatten().any(|symbols| match operator {
            "StringLike" | "StringNotLike" => glob(symbols, value),
            "StringEquals" | "StringNotEquals" => plain(symbols) == *value,
            _ => panic!("the generator makes no {operator}"),
        }) || (withheld && deny && !negated);
        hit != negated
    };
    match (found, set) {
        (None, _) if if_exists => true,
        (None, "") => negated,
        (None, set) => set == "ForAllValues",
        (Some(found), "") => one(&found[0]),
        (Some(found), "ForAllValues") => found.iter().all(one),
        (Some(found), _) => found.iter().any(one),
    }
}

/// A character of a pattern: `Err` holds `*` or `?` as a wildcard.
type Symbol = Result<char, char>;

/// `None`: a variable in it has no usable value.
fn symbols(text: &str, known: Option<&Dictionary>) -> Option<Vec<Symbol>> {
    let mut out = Vec::new();
    let mut rest = text.to_owned();
    while !rest.is_empty() {
        if let (Some(known), true, Some(end)) = (known, rest.starts_with("${"), rest.find('}')) {
            let name = rest[2..end].to_owned();
            rest = rest[end + 1..].to_owned();
            if ["*", "?", "$"].contains(&name.as_str()) {
                out.extend(name.chars().map(Ok));
                continue;
            }
            let value = match (known.get(&name), name.rsplit_once('.')) {
                (Some(values), _) => values.first()?,
                (None, Some((base, index))) => known.get(base)?.get(index.parse::<usize>().ok()?)?,
                (None, None) => return None,
            };
            if value.chars().any(|c| "*?$+#".contains(c)) {
                return None;
            }
            out.extend(value.chars().map(Ok));
        } else {
            let first = rest.remove(0);
            out.push(if first == '*' || first == '?' { Err(first) } else { Ok(first) });
        }
    }
    Some(out)
}

fn plain(symbols: &[Symbol]) -> String {
    symbols.iter().map(|symbol| symbol.unwrap_or_else(|wildcard| wildcard)).collect()
}

/// Textbook table: `reach[i]` is whether the first i characters match the symbols read so far.
pub(super) fn glob(symbols: &[Symbol], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut reach = vec![false; text.len() + 1];
    reach[0] = true;
    for symbol in symbols {
        let mut next = vec![false; text.len() + 1];
        for i in 0..=text.len() {
            next[i] = match symbol {
                Err('*') => reach[..=i].contains(&true),
                Err(_) => i > 0 && reach[i - 1],
                Ok(c) => i > 0 && reach[i - 1] && text[i - 1] == *c,
            };
        }
        reach = next;
    }
    reach[text.len()]
}

pub(super) fn glob_text(pattern: &str, text: &str) -> bool {
    glob(&symbols(pattern, None).unwrap(), text)
}
