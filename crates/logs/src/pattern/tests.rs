use proptest::prelude::*;

use super::*;
use crate::fuzz;

const EVENT: &str = r#"{"eventType":"Connect","clientId":"press-7","sourcePort":4711,"nan":"nan","infinite":"Infinity","status":"Failure","a":{"b":true,"c.d":[1,{"e":null}]},"details":"no \"such\" policy"}"#;

#[test]
fn patterns_want_what_they_say() {
    for (pattern, wanted) in [
        ("", true),
        ("Connect", true),
        ("connect", false),
        ("Connect Failure", true),
        ("Connect Success", false),
        ("Connect -Failure", false),
        ("Connect -Success", true),
        ("?Success ?Failure", true),
        ("?Success ?Other", false),
        (r#""press-7""#, true),
        (r#""press 7""#, false),
        (r#""\"clientId\":\"press-7\"""#, true),
        (r#"{ $.clientId = "press-7" }"#, true),
        (r#"{$.clientId="press-7"}"#, true),
        ("{ $.clientId = press-7 }", true),
        (r#"{ $.clientId != "press-7" }"#, false),
        (r#"{ $.clientId = "press-*" }"#, true),
        (r#"{ $.clientId = "*7" }"#, true),
        (r#"{ $.clientId = "p*s-*" }"#, true),
        (r#"{ $.clientId = "*8*" }"#, false),
        (r#"{ $.clientId = "press-7*7" }"#, false),
        (r#"{ $.nobody = "x" }"#, false),
        (r#"{ $.nobody != "x" }"#, false),
        ("{ $.sourcePort = 4711 }", true),
        ("{ $.sourcePort > 4710 && $.sourcePort <= 4711 }", true),
        ("{ $.sourcePort < 4711 }", false),
        ("{ $.a.b = true }", true),
        ("{ $.a.b.c = true }", false),
        ("{ $.nan = nan && $.nan != 1 }", true),
        ("{ $.infinite = Infinity }", true),
        ("{ $.infinite = -inf }", false),
        ("{ $.sourcePort != nan }", true),
        ("{ $.sourcePort = 4.711e3 }", true),
        (r#"{ $.status = "Success" || $.clientId = "press-7" && $.eventType = "Connect" }"#, true),
        (r#"{ ($.status = "Success" || $.clientId = "press-7") && $.eventType = "Ping" }"#, false),
    ] {
        assert_eq!(FilterPattern::parse(pattern).unwrap().matches(EVENT), wanted, "{pattern}");
    }
    for (pattern, wanted) in [
        ("{ $.a.b IS TRUE }", true),
        ("{ $.a.b IS FALSE }", false),
        ("{ $.a['c.d'][1].e IS NULL }", true),
        ("{ $.nobody IS NULL }", false),
        ("{ $.a.['c.d'][0] = 1 }", true),
        (r#"{ $.a["c.d"][2] = 1 }"#, false),
        ("{ $.a[0] = 1 }", false),
        ("{ $.clientId EXISTS }", true),
        ("{ $.clientId NOT EXISTS }", false),
        ("{ $.nobody NOT EXISTS && ($.a.b EXISTS) }", true),
        ("{$.nobody EXISTS || $.status=Failure}", true),
    ] {
        assert_eq!(FilterPattern::parse(pattern).unwrap().matches(EVENT), wanted, "{pattern}");
    }
    assert!(!FilterPattern::parse("{ $.a = 1 }").unwrap().matches("no JSON"));
}

#[test]
fn what_is_no_pattern_is_refused() {
    let deep = format!("{{ {}$.a = 1{} }}", "(".repeat(17), ")".repeat(17));
    for pattern in [
        "[a, b]",
        "%x%",
        "{",
        "{}",
        "{ a = 1 }",
        "{ $.a }",
        "{ $.a = }",
        "{ $. = 1 }",
        "{ $ = 1 }",
        "{ $.a[x] = 1 }",
        "{ $.a[] = 1 }",
        "{ $.a[99999999999999999999] = 1 }",
        "{ $.a['b] = 1 }",
        "{ $.a[0 = 1 }",
        "{ $[ = 1 }",
        "{ $.. = 1 }",
        "{ $.a IS }",
        "{ $.a IS NULLS }",
        "{ $.a NOT }",
        "{ $.a NOT = 1 }",
        "{ $.a = 1 && }",
        "{ ($.a = 1 }",
        "{ $.a = 1 } x",
        "{ $.a = %x% }",
        "{ $.a < \"b\" }",
        "{ $.a < inf }",
        "{ $.a >= NaN }",
        "{ $.a > 1e999 }",
        "\"open",
        "a:b",
        "-",
        &deep,
        &"x".repeat(5000),
    ] {
        assert!(FilterPattern::parse(pattern).is_err(), "{pattern}");
    }
}

proptest! {
    #[test]
    fn whatever_comes_is_a_pattern_or_refused(
        noise in prop::collection::vec(any::<u8>(), 0..80),
        pattern in r#"([{}()?"$.=!<>&|*%\\ -]|\$\.a|\$\.b\.c|\[[0-9]\]|\['a'\]| IS NULL| NOT EXISTS|= "|" |&&|[a-c1-3])*"#, message in r#"[a-c*" \\{:}]{0,20}"#,
    ) {
        fuzz::filter_pattern(&noise);
        fuzz::filter_pattern(format!("{pattern}\n{message}").as_bytes());
        fuzz::filter_pattern(format!("{{{pattern}}}\n{message}").as_bytes());
    }
}
