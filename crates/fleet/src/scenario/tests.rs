use proptest::prelude::*;

use super::*;
use crate::fuzz;

const SMALL: &str = "[[group]]\nname = \"g\"\ncount = 2\n";

fn refused(text: &str) -> String {
    Scenario::parse(text).expect_err(text).to_string()
}

#[test]
fn the_least_that_can_be_said_is_a_scenario() {
    let scenario = Scenario::parse(SMALL).unwrap();
    assert_eq!((scenario.devices(), scenario.duration, scenario.seed), (2, Period::seconds(60), 0));
    let group = &scenario.groups[0];
    assert_eq!((group.connect, group.clean, group.in_flight), (ConnectRate::PerSecond(100.0), true, 20));
    assert_eq!(group.retry, Retry::default());
}

#[test]
fn everything_that_can_be_said_is_understood() {
    let text = r#"
duration = "90s"
ramp = "5m"
settle = "10s"
seed = 7
threads = 2
[broker]
host = "localhost"
port = 8883
transport = "tls"
ca = "ca.pem"
server_name = "broker.example"
alpn = "x-amzn-mqtt-ca"
insecure = false
[[group]]
name = "presses"
count = 9000
first = 100
identities = "fleet"
client_id = "{{device}}"
version = "3.1.1"
keep_alive = "30s"
clean = false
session_expiry = "10m"
user_name = "u-{{index}}"
password = "secret"
start = "5s"
connect = "at once"
source = ["127.0.0.2-127.0.0.4", "127.0.0.9"]
in_flight = 5
retry = { first = "2s", max = "1m", jitter = "20%", give_up = "10m" }
churn = { per_minute = "5%", pause = "3s", abrupt = true }
[[group.publish]]
topic = "rooms/{{device}}/t"
qos = 1
retain = true
every = "10s"
count = 100
payload = '{"mark":"{{mark}}","t":{{random 15 25}}}'
size = 256
spread = false
[[group.subscribe]]
filter = "rooms/{{device}}/#"
qos = 1
[[storm]]
at = "30s"
share = 0.5
groups = ["presses"]
abrupt = false
pause = "1s"
"#;
    let scenario = Scenario::parse(text).unwrap();
    let group = &scenario.groups[0];
    assert_eq!(group.source.0.len(), 4);
    assert_eq!(group.publish[0].interval_micros(), 10_000_000);
    assert_eq!((scenario.storms[0].share, scenario.storms[0].abrupt), (Share(0.5), false));
}

#[test]
fn what_is_wrong_is_said_with_line_and_column() {
    for (more, place, says) in [
        ("colour = 1\n", "line 4, column 1", "unknown field `colour`"),
        ("keep_alive = \"1d\"\n", "line 4, column 14", "no length of time"),
        ("keep_alive = 5\n", "line 4, column 14", "expected a string"),
        ("version = \"4\"\n", "line 4, column 11", "3.1.1"),
        ("source = \"localhost\"\n", "line 4, column 10", "neither an address nor a range"),
        ("connect = \"fast\"\n", "line 4, column 11", "at once"),
        ("churn = { per_minute = \"500%\" }\n", "line 4, column 24", "a share is"),
        ("client_id = \"{{seq}}\"\n", "line 4, column 13", "cannot stand here"),
        ("[[group.publish]]\ntopic = \"a/#\"\n", "line 1, column 1", "no topic name"),
        ("[[group.publish]]\ntopic = \"a\"\npayload = \"x\"\n", "line 1, column 1", "has no {{mark}}"),
        ("[[group.publish]]\ntopic = \"a\"\nqos = 3\n", "line 6, column 7", "qos is 0, 1 or 2"),
        ("[[group.publish]]\ntopic = \"a\"\nrate = 0\n", "line 1, column 1", "above 0"),
        ("[[group.publish]]\ntopic = \"a\"\nrate = 1\nevery = \"1s\"\n", "line 1, column 1", "not both"),
        ("[[group.subscribe]]\nfilter = \"a/#/b\"\n", "line 1, column 1", "no topic filter"),
        ("[[group]]\nname = \"g\"\ncount = 1\n", "line 4, column 1", "two groups"),
        ("[[storm]]\nat = \"5m\"\n", "line 4, column 1", "after the end"),
        ("[[storm]]\nat = \"5s\"\ngroups = [\"x\"]\n", "line 6, column 11", "no group \"x\""),
        ("[broker]\nhots = \"x\"\n", "line 5, column 1", "unknown field `hots`"),
        ("client_id = \"one\"\n", "line 1, column 1", "all devices would have the client id"),
        ("device = \"one\"\n", "line 1, column 1", "no {{index}}"),
        ("in_flight = 0\n", "line 1, column 1", "at least 1"),
        ("first = 4294967295\n", "line 1, column 1", "leaves no numbers"),
        (&format!("device = \"{{{{index}}}}{}\"\n", "x".repeat(256)), "line 1, column 1", "at most 256 bytes"),
        (&format!("client_id = \"{{{{device}}}}{}\"\n", "x".repeat(65_535)), "line 1, column 1", "65535 bytes"),
        ("x\n", "line 4, column", "="),
    ] {
        let refused = refused(&format!("{SMALL}{more}"));
        assert!(refused.starts_with(place) && refused.contains(says), "{more} -> {refused}");
        assert!(!refused.contains('\n'), "{refused}");
    }
    assert!(refused("duration = \"1s\"").contains("missing field `group`"));
    assert!(refused("group = []").contains("no [[group]]"));
    assert!(refused(&format!("threads = 0\n{SMALL}")).starts_with("line 1, column 11: threads"));
}

#[test]
fn pauses_double_up_to_the_longest_and_chance_shortens_them() {
    let retry = Retry { max: Period::seconds(10), ..Retry::default() };
    for (failures, chance, expected) in
        [(1, 0.0, 1_000_000), (2, 0.0, 2_000_000), (4, 0.5, 6_000_000), (50, 0.0, 10_000_000)]
    {
        assert_eq!(retry.pause_micros(failures, chance), expected, "{failures} {chance}");
    }
}

#[test]
fn a_name_of_a_group_is_short_because_templates_repeat_it() {
    let text = format!("[[group]]\nname = \"{}\"\ncount = 1\n", "g".repeat(257));
    assert!(refused(&text).contains("at most 256 bytes"));
}

proptest! {
    #[test]
    fn whatever_comes_is_a_scenario_or_refused_in_one_line(
        noise in ".{0,60}",
        lines in prop::collection::vec(prop_oneof![
            "(count|first|in_flight|seed|threads|size|qos|rate) = (-|)[0-9]{1,10}(\\.[0-9]|e[0-9]{1,3}|)",
            "(name|device|client_id|topic|filter|payload|user_name|password) = \"([a/#+$]|\\{\\{(index|device|group|mark|seq|random|index 20|random -9 9)\\}\\}){0,9}\"",
            "(every|start|keep_alive|duration|settle|at|pause) = \"[0-9.]{1,6}(ms|s|m|h)\"",
            "(source = \"[0-9.,:-]{0,20}\"|connect = \"([0-9.]{1,4}/s|at once)\"|churn = \\{ per_minute = [0-9.]{1,4} \\})",
            r"\[\[(group|storm|group\.publish|group\.subscribe)\]\]|verify = false|groups = \[.{0,3}\]",
        ], 0..8),
    ) {
        fuzz::scenario(noise.as_bytes());
        fuzz::scenario(format!("{SMALL}{}", lines.join("\n")).as_bytes());
        for kind in ["group.publish]]\ntopic = \"a/{{device}}\"", "group.subscribe]]\nfilter = \"a/#\"", "storm]]\nat = \"1s\""] {
            fuzz::scenario(format!("{SMALL}[[{kind}\n{}", lines.join("\n")).as_bytes());
        }
    }
}
