//! What must hold of every file that is kept: links and paths lead somewhere, lints are inherited, and nothing tells of
//! the machine it was written on.

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
    process::Command,
};

use cargo_metadata::MetadataCommand;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Folders at the root whose files the documents may name.
const FOLDERS: [&str; 11] =
    [".cargo", ".ci", "bench", "certs", "config", "console", "crates", "docs", "fuzz", "tests", "xtask"];

/// Every file that git keeps and that is there, relative to the root.
fn tracked() -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args(["-c", "safe.directory=*", "-C", ROOT, "ls-files", "-z"])
        .output()
        .expect("git lists the files");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).expect("file names are UTF-8");
    names.split_terminator('\0').map(PathBuf::from).filter(|path| Path::new(ROOT).join(path).is_file()).collect()
}

/// The documents that are there, tracked or not yet, relative to the root.
fn documents() -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("README.md")];
    for folder in ["certs", "docs", "docs/decisions", "tests"] {
        for entry in fs::read_dir(Path::new(ROOT).join(folder)).unwrap() {
            let name = PathBuf::from(entry.unwrap().file_name());
            if name.extension().is_some_and(|extension| extension == "md") {
                found.push(Path::new(folder).join(name));
            }
        }
    }
    found.sort();
    found
}

/// The targets of a document's links that stay in this repository, as written, without their fragment.
fn links(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next())
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        .map(|target| target.split_once('#').map_or(target, |(path, _)| path))
        .filter(|path| !path.is_empty())
        .collect()
}

/// The paths below [`FOLDERS`] that a text names, with or without a place in the file. A pattern is none.
fn paths(text: &str) -> Vec<&str> {
    let part_of_a_path = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let mut found = Vec::new();
    for word in text.split(|c: char| !part_of_a_path(c) && !"*<>{}$…".contains(c)) {
        let word = word.trim_end_matches(['.', '/']).trim_start_matches("./").trim_start_matches("../");
        let in_a_folder = word.split_once('/').is_some_and(|(folder, _)| FOLDERS.contains(&folder));
        if in_a_folder && word.chars().all(part_of_a_path) {
            found.push(word);
        }
    }
    found
}

/// `path` without `.` and `..`; `None` when it leaves the repository.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => normal.push(name),
            Component::CurDir => {}
            Component::ParentDir => normal.pop().then_some(())?,
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(normal)
}

#[test]
fn links_and_paths_are_found_in_a_text() {
    let text = "See [a](docs/a.md#part), [b](https://example.com/docs/b.md), [c](#here).\n\
                `crates/x/src/y.rs:12`, (tests/data/). ./certs/make.sh out; ../xtask/src; xtask/src/bench*; docs/<name>.md";
    assert_eq!(links(text), ["docs/a.md"]);
    assert_eq!(paths(text), ["docs/a.md", "crates/x/src/y.rs", "tests/data", "certs/make.sh", "xtask/src"]);
}

#[test]
fn what_the_documents_name_exists() {
    let mut missing = BTreeSet::new();
    for document in documents() {
        let text = fs::read_to_string(Path::new(ROOT).join(&document)).unwrap();
        let folder = document.parent().expect("a document lies in a folder");
        for link in links(&text) {
            if !normal(&folder.join(link)).is_some_and(|path| Path::new(ROOT).join(path).exists()) {
                missing.insert(format!("{}: {link}", document.display()));
            }
        }
        for path in paths(&text) {
            if !Path::new(ROOT).join(path).exists() {
                missing.insert(format!("{}: {path}", document.display()));
            }
        }
    }
    assert!(missing.is_empty(), "named, but not there: {missing:#?}");
}

#[test]
fn every_crate_inherits_the_lints() {
    let read = |path: &Path| fs::read_to_string(path).unwrap().parse::<toml::Table>().unwrap();
    let root = read(&Path::new(ROOT).join("Cargo.toml"));
    assert_eq!(root["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    let metadata = MetadataCommand::new().manifest_path(format!("{ROOT}/Cargo.toml")).no_deps().exec().unwrap();
    for package in metadata.workspace_packages() {
        let manifest = read(package.manifest_path.as_std_path());
        let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
        assert_eq!(inherits, Some(true), "{} has no `[lints] workspace = true`", package.name);
    }
}

#[test]
fn no_file_tells_where_it_was_written() {
    // In pieces, so that this file is no exception.
    let mut homes: Vec<String> = ["home", "root", "Users"].iter().map(|folder| format!("/{folder}/")).collect();
    let here = fs::canonicalize(ROOT).unwrap();
    if here.components().count() > 2 {
        homes.push(here.display().to_string());
    }
    let hosts: Vec<String> = [
        ["index.", "crates.io"],
        ["static.", "crates.io"],
        ["py", "pi.org"],
        ["files.", "pythonhosted.org"],
        ["registry.", "npmjs.org"],
        ["proxy.", "golang.org"],
    ]
    .map(|pieces| pieces.concat())
    .into();
    let locks = ["Cargo.lock", "package-lock.json"];
    let mut found = Vec::new();
    for path in tracked() {
        if path.file_name().is_some_and(|name| locks.iter().any(|lock| name == *lock)) {
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(Path::new(ROOT).join(&path)).unwrap()).into_owned();
        for (number, line) in text.lines().enumerate() {
            if homes.iter().any(|home| names_absolutely(line, home)) || hosts.iter().any(|host| line.contains(host)) {
                found.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "a path or a host of somebody's machine in {found:#?}");
}

/// Whether `line` has `path` where a path begins: `a/b/` is not `/b/`.
fn names_absolutely(line: &str, path: &str) -> bool {
    let continues = |c: char| c.is_alphanumeric() || "._-~/}>*".contains(c);
    line.match_indices(path).any(|(at, _)| !line[..at].ends_with(continues))
}

#[test]
fn an_absolute_path_is_one_that_begins_there() {
    for (line, expected) in
        [("in /a/b", true), ("\"/a/b\"", true), ("/a/", true), ("x/a/b", false), ("../a/b", false), ("$D}/a/b", false)]
    {
        assert_eq!(names_absolutely(line, "/a/"), expected, "{line}");
    }
}

#[test]
fn nothing_that_is_built_is_kept() {
    let built =
        |path: &PathBuf| path.iter().any(|part| ["target", "__pycache__", "node_modules"].iter().any(|b| part == *b));
    let kept: Vec<_> = tracked().into_iter().filter(built).collect();
    assert!(kept.is_empty(), "{} built files are kept, {} first", kept.len(), kept[0].display());
}
