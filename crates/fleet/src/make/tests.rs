use tidegate_pki::{CaCertificate, ClientLeaf};

use super::*;

fn make(directory: &Path, count: usize) -> Make {
    Make {
        directory: directory.join("fleet"),
        count,
        name: Template::of_device("press-{{index 3}}").unwrap(),
        key: DeviceKey::P256,
        ca: None,
        ca_name: "test fleet CA".into(),
    }
}

fn run(make: &Make) -> Result<Made, String> {
    make.run(|_| {}).map_err(|error| error.to_string())
}

#[test]
fn devices_are_made_once_and_more_are_added() {
    let temporary = tempfile::tempdir().unwrap();
    let mut wanted = make(temporary.path(), 70);
    let mut steps = Vec::new();
    assert_eq!(wanted.run(|there| steps.push(there)).unwrap(), Made { found: 0, made: 70 });
    assert_eq!(steps, [0, 64, 70]);
    let first = Identities::open(&wanted.directory).unwrap();
    wanted.count = 72;
    assert_eq!(run(&wanted), Ok(Made { found: 70, made: 2 }));
    assert_eq!(run(&wanted), Ok(Made { found: 72, made: 0 }));
    let identities = Identities::open(&wanted.directory).unwrap();
    assert_eq!((identities.len(), identities.name(0), identities.name(71)), (72, "press-000", "press-071"));
    assert_eq!((identities.find("press-070"), identities.find("press-7")), (Some(70), None));
    assert_eq!(identities.pem(69).unwrap(), first.pem(69).unwrap(), "what is there stays");
    let ca = CaCertificate::from_pem(&read(&wanted.directory.join("ca.pem")).unwrap()).unwrap();
    for index in [0, 69, 71] {
        let leaf = ClientLeaf::parse(&identities.shown(index).unwrap().chain[0]).unwrap();
        leaf.check_issued_by(&ca).unwrap();
        assert_eq!(leaf.certificate_id(), identities.certificate_id(index).unwrap());
    }
}

#[test]
fn everything_is_its_owners_alone() {
    let temporary = tempfile::tempdir().unwrap();
    let wanted = make(temporary.path(), 1);
    run(&wanted).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&wanted.directory), 0o700);
    for file in ["ca.pem", "ca.key", "devices.pem"] {
        assert_eq!(mode(&wanted.directory.join(file)), 0o600, "{file}");
    }
    fs::set_permissions(&wanted.directory, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(run(&wanted).unwrap_err().contains("chmod 700"));
}

#[test]
fn an_interrupted_make_goes_on_at_the_last_whole_device() {
    let temporary = tempfile::tempdir().unwrap();
    let wanted = make(temporary.path(), 3);
    run(&wanted).unwrap();
    let bundle = wanted.directory.join(BUNDLE);
    let whole = fs::read(&bundle).unwrap();
    let third = String::from_utf8(whole.clone()).unwrap().rfind(HEAD).unwrap();
    for cut in [whole.len() - 1, whole.len() - 40, third + 20, third + 3] {
        fs::write(&bundle, &whole[..cut]).unwrap();
        let refused = Identities::open(&wanted.directory).unwrap_err().to_string();
        assert!(refused.contains("tidegate fleet make"), "{refused}");
        assert_eq!(run(&wanted), Ok(Made { found: 2, made: 1 }), "cut at {cut}");
        assert_eq!(Identities::open(&wanted.directory).unwrap().len(), 3);
    }
}

#[test]
fn what_would_mix_two_fleets_is_refused() {
    let temporary = tempfile::tempdir().unwrap();
    let wanted = make(temporary.path(), 2);
    run(&wanted).unwrap();
    let other = FleetCa::new("other CA").unwrap();
    let (certificate, key) = (temporary.path().join("other.pem"), temporary.path().join("other.key"));
    write_new(&certificate, other.pem.as_bytes()).unwrap();
    write_new(&key, other.key_pem().as_bytes()).unwrap();
    let pair = (certificate.clone(), key.clone());
    let names = |name: &str| Template::of_device(name).unwrap();
    for (make, says) in [
        (Make { name: names("lamp-{{index 3}}"), ..wanted.clone() }, "press-000, not lamp-000"),
        (Make { name: names("same"), ..wanted.clone() }, "no {{index}}"),
        (Make { name: names(&"x{{index}}".repeat(40)), ..wanted.clone() }, "does not fit"),
        (Make { ca: Some(pair.clone()), ..wanted.clone() }, "another CA"),
        (Make { ca: Some((key, certificate)), ..wanted.clone() }, "certificate"),
        (Make { ca: Some((pair.0.clone(), wanted.directory.join(CA_KEY))), ..wanted.clone() }, "does not belong"),
    ] {
        let refused = run(&make).unwrap_err();
        assert!(refused.contains(says), "{refused}");
    }
    let elsewhere = Make { directory: temporary.path().join("second"), ca: Some(pair.clone()), ..wanted };
    assert_eq!(run(&elsewhere), Ok(Made { found: 0, made: 2 }));
    assert!(!elsewhere.directory.join(CA_KEY).exists(), "a key that is held elsewhere is not copied");
    assert!(run(&Make { ca: None, count: 3, ..elsewhere }).unwrap_err().contains("--ca-key"));
}

#[test]
fn a_bundle_that_is_none_is_refused() {
    let temporary = tempfile::tempdir().unwrap();
    for text in ["no devices\n", "device: a\ndevice: b\n", "device: a\nx\n\ndevice: b\n"] {
        fs::write(temporary.path().join(BUNDLE), text).unwrap();
        let refused = Identities::open(temporary.path()).unwrap_err().to_string();
        assert!(refused.contains("damaged"), "{refused}");
    }
    fs::remove_file(temporary.path().join(BUNDLE)).unwrap();
    assert!(Identities::open(temporary.path()).unwrap_err().to_string().contains("tidegate fleet make"));
}
