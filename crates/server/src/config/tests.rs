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
