use super::*;

#[test]
fn names_are_valid_without_wildcards_and_nul() {
    let longest = "x".repeat(TOPIC_BYTES_MAX);
    for valid in ["a", "/", "a/b", "//", " ", "$SYS/a", "é€😀", "a$share", &longest] {
        assert!(valid_name(valid), "{valid}");
    }
    let too_long = "x".repeat(TOPIC_BYTES_MAX + 1);
    for invalid in ["", "#", "+", "a/#", "a+b", "a\0", &too_long] {
        assert!(!valid_name(invalid), "{invalid}");
    }
}

#[test]
fn filters_follow_the_rules_of_wildcards_and_shares() {
    for valid in [
        "a",
        "/",
        "#",
        "+",
        "/#",
        "/+",
        "a/#",
        "+/+/+",
        "a/+/#",
        "a//#",
        "$SYS/#",
        "$share/g/a",
        "$share/g//",
        "$share/g/#",
        "$share",
        "$sharex/+",
        "$Share//a",
    ] {
        assert!(valid_filter(valid), "{valid}");
    }
    let too_long = "x".repeat(TOPIC_BYTES_MAX + 1);
    for invalid in [
        "",
        "a#",
        "#a",
        "##",
        "a/#/",
        "a/#/b",
        "a+",
        "+a",
        "++",
        "a/b+/c",
        "a\0",
        "$share/",
        "$share/g",
        "$share/g/",
        "$share//a",
        "$share/+/a",
        "$share/g#/a",
        "$share/g/a#",
        "$share/g/#/a",
        "$share/\0/a",
        &too_long,
    ] {
        assert!(!valid_filter(invalid), "{invalid}");
    }
}

#[test]
fn a_shared_filter_has_two_parts() {
    assert_eq!(Shared::parse("$share/g/a/+/#"), Some(Shared { share_name: "g", topic_filter: "a/+/#" }));
    assert_eq!(Shared::parse("$share/g//"), Some(Shared { share_name: "g", topic_filter: "/" }));
    for other in ["a/b", "$share", "$share/g", "$share//a", "$share/g/", "x/$share/g/a"] {
        assert_eq!(Shared::parse(other), None, "{other}");
    }
}

#[test]
fn filters_match_names_level_by_level() {
    for (filter, name, expected) in [
        ("a/b", "a/b", true),
        ("a/b", "a/B", false),
        ("a/b", "a/b/", false),
        ("/a", "a", false),
        // Nothing is normalized: [MQTT-4.7.3-4].
        ("\u{e9}", "e\u{301}", false),
        ("\u{feff}a", "a", false),
        ("a//b", "a/b", false),
        (" a", "a", false),
        // 4.7.1.2 and 4.7.1.3: the examples of the specification.
        ("sport/tennis/player1/#", "sport/tennis/player1", true),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", true),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
        ("sport/#", "sport", true),
        ("#", "a/b/c", true),
        ("sport/tennis/+", "sport/tennis/player1", true),
        ("sport/tennis/+", "sport/tennis/player1/ranking", false),
        ("sport/+", "sport", false),
        ("sport/+", "sport/", true),
        ("+/+", "/finance", true),
        ("/+", "/finance", true),
        ("+", "/finance", false),
        ("+/b/#", "a/b", true),
        ("+/b/#", "a/c", false),
        // [MQTT-4.7.2-1]
        ("#", "$SYS/monitor", false),
        ("+/monitor", "$SYS/monitor", false),
        ("$SYS/#", "$SYS/monitor", true),
        ("$SYS/+", "$SYS/monitor", true),
        ("a/#", "a/$SYS", true),
    ] {
        assert_eq!(matches(filter, name), expected, "{filter} {name}");
    }
}

#[test]
fn the_parent_level_can_be_left_out() {
    for (filter, name, expected) in
        [("a/#", "a", false), ("a/#", "a/", true), ("a/#", "a/b/c", true), ("#", "a", true), ("a", "a", true)]
    {
        assert_eq!(matches_below(filter, name), expected, "{filter} {name}");
    }
}

#[test]
fn deep_names_need_no_stack() {
    let deep = "/".repeat(TOPIC_BYTES_MAX);
    let filter = format!("{}#", "+/".repeat(30_000));
    assert!(valid_name(&deep) && valid_filter(&filter) && matches(&filter, &deep));
    assert_eq!(level_count(&deep), TOPIC_BYTES_MAX + 1);
}

/// The definition of matching, as plain as it can be said.
fn matches_plainly(filter: &[&str], name: &[&str], parent: bool) -> bool {
    match (filter, name) {
        (["#"], []) => parent,
        (["#"], _) => true,
        ([], []) => true,
        (["+", filter @ ..], [_, name @ ..]) => matches_plainly(filter, name, parent),
        ([level, filter @ ..], [same, name @ ..]) if level == same => matches_plainly(filter, name, parent),
        _ => false,
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 4096, failure_persistence: None, ..Default::default() })]

    #[test]
    fn matching_is_what_its_definition_says(
        filter in "(\\+|[ab]{0,2}|\\$)(/(\\+|[ab]{0,2})){0,4}(/#)?|#", name in "(\\$)?[ab]{0,2}(/[ab]{0,2}){0,4}"
    ) {
        if valid_filter(&filter) && valid_name(&name) {
            let (filters, names): (Vec<_>, Vec<_>) = (levels(&filter).collect(), levels(&name).collect());
            let hidden = name.starts_with('$') && has_wildcard(filters[0]);
            for (parent, found) in [(true, matches(&filter, &name)), (false, matches_below(&filter, &name))] {
                assert_eq!(found, !hidden && matches_plainly(&filters, &names, parent), "{filter} {name}");
            }
        }
    }

    #[test]
    fn reserved_bytes_are_found_wherever_they_are(mut text in proptest::collection::vec(1u8.., 0..40), place: u8, byte: u8) {
        if !text.is_empty() {
            let place = usize::from(place) % text.len();
            text[place] = [0, b'+', b'#', 1, b'*', b'$', 0x80, byte][usize::from(byte) % 8];
        }
        let expected = text.iter().any(|byte| matches!(byte, 0 | b'+' | b'#'));
        assert_eq!(has_reserved(&text), expected, "{text:?}");
    }

    #[test]
    fn no_text_makes_the_topic_functions_panic(filter in ".{0,20}", name in ".{0,20}") {
        let _ = (valid_filter(&filter), valid_name(&name), matches(&filter, &name), matches_below(&filter, &name));
        if let Some(shared) = Shared::parse(&filter) {
            assert!(is_shared(&filter) && valid_filter(shared.topic_filter) && valid_name(shared.share_name));
        }
    }
}
