//! Sources of the configuration, their precedence, and what is said about mistakes.

use crate::process::{Mep, bare_command, command, refused};

fn refused_with(configuration: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mep.toml");
    std::fs::write(&file, configuration).unwrap();
    let text = refused(command(directory.path()).arg("--config").arg(&file));
    text.replace(&file.display().to_string(), "mep.toml")
}

#[test]
fn mistakes_in_the_file_are_named_with_file_and_line() {
    for (configuration, message) in [
        (
            "\nlisen = \"127.0.0.1:1\"\n",
            "mep: mep.toml line 2: unknown key lisen; did you mean listen?\n",
        ),
        (
            "[log]\nfromat = \"json\"",
            "mep: mep.toml line 2: unknown key log.fromat; did you mean log.format?\n",
        ),
        (
            "[log]\naccess = \"yes\"",
            "mep: mep.toml line 2: log.access must be true or false\n",
        ),
        (
            "[limits]\nbody_bytes = -1",
            "mep: mep.toml line 2: limits.body_bytes must be a whole number of at least 0\n",
        ),
        (
            "[log]\n\nformat = \"xml\"",
            "mep: mep.toml line 3: unknown variant `xml`, expected `human` or `json`\n",
        ),
        (
            "listen = ",
            "mep: mep.toml line 1: string values must be quoted, expected literal string\n",
        ),
        (
            "[[applications]]\napp_name = \"a\"",
            "mep: mep.toml line 1: missing field `app_instance_id`\n",
        ),
        (
            "[[transports]]\nserializer = \"JSON\"",
            "mep: mep.toml line 2: unknown key transports.serializer; known keys here are id, name, description, type, protocol, version, endpoint, security, implSpecificInfo\n",
        ),
        (
            "public_url = \"mep.example\"",
            "mep: public_url \"mep.example\" must be http:// or https:// with a host, and no query\n",
        ),
    ] {
        assert_eq!(refused_with(configuration), message);
    }
}

#[test]
fn a_missing_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let text = refused(command(directory.path()).args(["--config", "/nowhere/mep.toml"]));
    assert!(
        text.starts_with("mep: cannot read the configuration /nowhere/mep.toml: "),
        "{text}"
    );
}

#[test]
fn unknown_variables_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let text = refused(command(directory.path()).env("MEP_DATADIR", "/tmp"));
    assert_eq!(
        text,
        "mep: unknown environment variable MEP_DATADIR; did you mean MEP_DATA_DIR?\n"
    );
}

#[test]
fn flags_win_over_variables_and_variables_over_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let in_directory = |name: &str| directory.path().join(name).display().to_string();
    let file = in_directory("mep.toml");
    std::fs::write(
        &file,
        format!(
            "listen = \"127.0.0.1:0\"\ndata_dir = {:?}\n",
            in_directory("of-file")
        ),
    )
    .unwrap();
    let run = |arguments: &[&str], variable: Option<String>| {
        let mut command = bare_command();
        command.env("MEP_CONFIG", &file).args(arguments);
        if let Some(variable) = variable {
            command.env("MEP_DATA_DIR", variable);
        }
        Mep::from(&mut command).banner.clone()
    };
    assert!(run(&[], None).contains("of-file"));
    assert!(run(&[], Some(in_directory("of-variable"))).contains("of-variable"));
    let flag = in_directory("of-flag");
    assert!(run(&["--data-dir", &flag], Some(in_directory("of-variable"))).contains("of-flag"));
}

#[test]
fn addresses_that_others_reach_are_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8080"] {
        let text = refused(
            bare_command()
                .arg("--data-dir")
                .arg(directory.path())
                .args(["--listen", address]),
        );
        assert!(text.contains("can be reached from other machines"), "{text}");
        assert!(text.contains("neither TLS nor authentication"), "{text}");
    }
    let text = refused(bare_command().args(["--listen", "8080"]));
    assert!(
        text.contains("not an address and port such as 127.0.0.1:8080"),
        "{text}"
    );
    assert!(!directory.path().join("LOCK").exists(), "nothing was opened");
}
