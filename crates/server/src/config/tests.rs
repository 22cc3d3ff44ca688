use std::time::Duration;

use tidegate_policy::Document;

use super::*;

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let mut config = Config::parse(text)?;
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    config.override_from(environment).map_err(|error| error.to_string())?;
    config.check().map_err(|error| error.to_string())?;
    Ok(config)
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(load("", &[]), Ok(Config::default()));
}

#[test]
fn the_shipped_file_is_the_default() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/standalone.toml");
    assert_eq!(Config::load(Some(path.as_ref()), std::iter::empty()).unwrap(), Config::default());
}

#[test]
fn every_key_of_the_shipped_file_can_be_uncommented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/standalone.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let keys: String = text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(key) if key.starts_with("[[") || key.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) => {
                format!("{key}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    let config = Config::parse(&keys).unwrap();
    assert_eq!(config.mqtt.listener.len(), 1, "{keys}");
}

#[test]
fn unknown_keys_are_refused_with_their_place() {
    let error = load("[mqtt]\nport = 1883\nprot = 1\n", &[]).unwrap_err();
    assert!(error.contains("line 3, column 1"), "{error}");
    assert!(error.contains("prot"), "{error}");
}

#[test]
fn the_environment_wins_over_the_file() {
    let config = load(
        "[mqtt]\nport = 1\n[[mqtt.listener]]\nname = \"lab-1\"\naddress = \"127.0.0.1\"\nport = 2\n",
        &[
            ("TIDEGATE_MQTT_PORT", "0"),
            ("TIDEGATE_MQTT_PROFILE", "aws"),
            ("TIDEGATE_API_PORT", "7"),
            ("TIDEGATE_API_PLAIN_PORT", "8"),
            ("TIDEGATE_SERVER_HOST_NAMES", "a.example, b.example"),
            ("TIDEGATE_MQTT_LISTENER_LAB_1_TRANSPORT", "plain"),
            ("TIDEGATE_PID", "1"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!((config.mqtt.port, config.mqtt.profile), (0, Profile::Aws));
    assert_eq!((config.api.port, config.api.plain_port), (7, Some(8)));
    assert_eq!(config.server.host_names, ["a.example", "b.example"]);
    assert_eq!(config.mqtt.listener[0].transport, Transport::Plain);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let plain = |address: &str, insecure: bool| {
        format!(
            "[[mqtt.listener]]\nname = \"p\"\naddress = \"{address}\"\nport = 1\ntransport = \"plain\"\ninsecure = {insecure}\n"
        )
    };
    for (text, environment, part) in [
        (plain("0.0.0.0", false), vec![], "anybody who reaches 0.0.0.0"),
        (plain("127.0.0.1", false) + &plain("127.0.0.1", false), vec![], "two listeners are named \"p\""),
        (String::new(), vec![("TIDEGATE_MQTT_PORT", "many")], "TIDEGATE_MQTT_PORT"),
        (String::new(), vec![("TIDEGATE_MQTT_PROFILE", "emqx")], "unknown variant `emqx`"),
        (String::new(), vec![("TIDEGATE_MQTT_LISTENER_X_PORT", "1")], "no [[mqtt.listener]] of that name"),
        ("[server]\nhost_names = [\"a b\"]\n".into(), vec![], "\"a b\" is no host name"),
        ("[first_start]\naccount_id = \"12\"\n".into(), vec![], "12 digits"),
        ("[mqtt]\nendpoint_domain = \"-\"\n".into(), vec![], "no domain name"),
    ] {
        let error = load(&text, &environment).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
    assert!(load(&plain("0.0.0.0", true), &[]).is_ok());
    assert!(load(&plain("127.0.0.1", false), &[]).is_ok());
}

const PLAIN: &str = "[[mqtt.listener]]\nname = \"lab\"\naddress = \"127.0.0.1\"\nport = 1\ntransport = \"plain\"\n";

/// Loads `text` as a file in a folder that also has `policy.json` with `policy`.
fn load_with_policy(text: &str, policy: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.toml");
    std::fs::write(&file, text).unwrap();
    std::fs::write(folder.path().join("policy.json"), policy).unwrap();
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(Some(&file), environment)
        .map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

#[test]
fn an_anonymous_policy_is_read_from_the_file_its_own_file_or_the_environment() {
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}]}"#;
    let inline = format!("{PLAIN}anonymous_policy = '''\n{policy}'''\n");
    let named = format!("{PLAIN}anonymous_policy = \"policy.json\"\n");
    let variable = "TIDEGATE_MQTT_LISTENER_LAB_ANONYMOUS_POLICY";
    let expected = Arc::new(Document::parse(policy).unwrap());
    for (text, environment) in [(&*inline, vec![]), (&*named, vec![]), (PLAIN, vec![(variable, policy)])] {
        let config = load_with_policy(text, policy, &environment).unwrap();
        assert_eq!(config.mqtt.listener[0].policy.as_ref(), Some(&expected), "{text}");
    }
    let unset = load_with_policy(&named, policy, &[(variable, "")]).unwrap();
    assert_eq!(unset.mqtt.listener[0].policy, None);
}

#[test]
fn what_is_wrong_in_an_anonymous_policy_is_named_with_its_place() {
    let wrong = "{\n  \"Statement\": [{\"Effect\": \"allow\", \"Action\": \"iot:*\", \"Resource\": \"*\"}]\n}";
    let inline = |policy: &str| format!("{PLAIN}anonymous_policy = '''{policy}'''\n");
    let named = |name: &str| format!("{PLAIN}anonymous_policy = \"{name}\"\n");
    let setting = "mqtt.listener \"lab\": anonymous_policy";
    for (text, policy, expected) in [
        (named("policy.json"), wrong, "policy.json, line 2, column 28: Statement[0].Effect: ".to_owned()),
        (
            named("policy.json"),
            "{\n\"Statement\" []}",
            "policy.json, line 2, column 13: the policy document is not valid JSON: ".to_owned(),
        ),
        (named("none.json"), "", format!("{setting}: cannot read the policy document none.json: ")),
        (inline(wrong), "", format!("t.toml, line 7, column 28: {setting}: Statement[0].Effect: ")),
        (
            inline("{\"Statement\" []}"),
            "",
            format!("t.toml, line 6, column 36: {setting}: the policy document is not valid JSON: "),
        ),
        (
            inline(wrong).replace("plain", "tls"),
            "",
            "mqtt.listener \"lab\" has an anonymous_policy and transport = \"tls\"".to_owned(),
        ),
    ] {
        let error = load_with_policy(&text, policy, &[]).unwrap_err();
        assert!(error.starts_with(&expected), "{expected}\n{error}");
    }
    let variable = "TIDEGATE_MQTT_LISTENER_LAB_ANONYMOUS_POLICY";
    let error = load_with_policy(PLAIN, "", &[(variable, wrong)]).unwrap_err();
    assert!(error.starts_with(&format!("{setting}: Statement[0].Effect: ")), "{error}");
}

#[test]
fn changes_take_their_time_in_the_manners_of_aws_only() {
    let more = |profile: &str| {
        format!("[[mqtt.listener]]\nname = \"more\"\naddress = \"127.0.0.1\"\nport = 1\nprofile = \"{profile}\"\n")
    };
    let mqtt =
        |seconds: u32, profile: &str| format!("[mqtt]\nprofile = \"{profile}\"\npropagation_delay_s = {seconds}\n");
    let place = "t.toml, line 3, column 23: mqtt.propagation_delay_s: ";
    for (text, expected) in [
        (mqtt(0, "standard"), Ok(0)),
        (mqtt(900, "aws"), Ok(900)),
        (mqtt(8, "aws") + &more("aws"), Ok(8)),
        (mqtt(8, "aws") + &more("standard") + "transport = \"plain\"\n", Ok(8)),
        (mqtt(901, "aws"), Err("901 is too long: it lies between 0 and 900 seconds")),
        (mqtt(8, "standard"), Err("changes take their time in the manners of AWS only, and the first listener has")),
        (
            mqtt(8, "aws") + &more("standard"),
            Err("changes take their time in the manners of AWS only, and mqtt.listener \"more\" has"),
        ),
    ] {
        let read = load_with_policy(&text, "", &[]);
        match expected {
            Ok(seconds) => assert_eq!(read.unwrap().propagation_delay(), Duration::from_secs(seconds), "{text}"),
            Err(why) => {
                let error = read.unwrap_err();
                assert!(error.starts_with(&format!("{place}{why}")), "{error}");
            }
        }
    }
    let variable = "TIDEGATE_MQTT_PROPAGATION_DELAY_S";
    let aws = ("TIDEGATE_MQTT_PROFILE", "aws");
    let config = load_with_policy("", "", &[(variable, "8"), aws]).unwrap();
    assert_eq!(config.propagation_delay(), Duration::from_secs(8));
    let error = load_with_policy("", "", &[(variable, "8")]).unwrap_err();
    assert!(error.starts_with(&format!("environment variable {variable}: changes take")), "{error}");
}
