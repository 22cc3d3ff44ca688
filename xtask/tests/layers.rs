//! The layer table of `docs/ARCHITECTURE.md` is what `cargo metadata` says.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, MetadataCommand};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Crate name → layer, as drawn.
fn drawn() -> BTreeMap<String, u8> {
    let text = std::fs::read_to_string(format!("{ROOT}/docs/ARCHITECTURE.md")).unwrap();
    let (_, rest) = text.split_once("<!-- layers:begin -->").expect("the table has a beginning");
    let (table, _) = rest.split_once("<!-- layers:end -->").expect("the table has an end");
    table
        .lines()
        .filter_map(|row| {
            let mut cells = row.split('|').map(str::trim).skip(1);
            let layer = cells.next()?.parse().ok()?;
            Some((cells.next()?.to_owned(), layer))
        })
        .collect()
}

#[test]
fn dependencies_point_downwards() {
    let drawn = drawn();
    let metadata = MetadataCommand::new().manifest_path(format!("{ROOT}/Cargo.toml")).no_deps().exec().unwrap();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for package in metadata.workspace_packages().into_iter().filter(|package| *package.name != "xtask") {
        let Some(layer) = drawn.get(&*package.name) else {
            wrong.push(format!("{} is not in the table", package.name));
            continue;
        };
        seen += 1;
        for dependency in package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development) {
            if drawn.get(&dependency.name).is_some_and(|below| below >= layer) {
                wrong.push(format!("{} (layer {layer}) uses {}", package.name, dependency.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(seen, drawn.len(), "the table has crates that do not exist");
}

#[test]
fn the_decisions_use_no_runtime() {
    let drawn = drawn();
    let metadata = MetadataCommand::new().manifest_path(format!("{ROOT}/Cargo.toml")).no_deps().exec().unwrap();
    let io = ["mio", "socket2", "hyper", "axum", "fjall", "tracing"];
    for package in metadata.workspace_packages() {
        if drawn.get(&*package.name).is_some_and(|layer| *layer <= 2) {
            for dependency in package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal) {
                assert!(!io.contains(&dependency.name.as_str()), "{} uses {}", package.name, dependency.name);
                // Locks and channels, no runtime, timer or socket.
                let runtime =
                    dependency.features.iter().find(|feature| !["macros", "sync"].contains(&feature.as_str()));
                let narrow = dependency.name != "tokio" || runtime.is_none();
                assert!(narrow, "{} uses tokio with {runtime:?}", package.name);
            }
        }
    }
}
