//! Configurations as people and tools write them, and every fault by its path.

use std::path::Path;

use outboard_workerd::{
    BindingKind, Config, ConfigError, DurableStorage, ModuleKind, ServiceKind, Source, WorkerConfig,
};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn read(text: &str, name: Option<&str>) -> Result<Config, String> {
    let folder = folder(&[("config.capnp", text), ("worker.js", "export default {}")]);
    let path = folder.path().join("config.capnp");
    let folder = format!("{}/", folder.path().display());
    Config::from_text(&path, name, &[]).map_err(|error| error.to_string().replace(&folder, ""))
}

const HEAD: &str = "using Workerd = import \"/workerd/workerd.capnp\";\n";

#[test]
fn a_text_configuration_is_read_with_its_constants_and_files() {
    let text = r#"
@0xa1b2c3d4e5f60718;
using Workerd = import "/workerd/workerd.capnp";
using Other = import "other.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),  # by reference
    (name = "files", disk = "/srv"),
    (name = "internet", network = (allow = ["public"])),
  ],
  sockets = [(name = "http", address = "*:8080", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [
    (name = "worker", esModule = embed "worker.js"),
    (name = "text", text = Other.greeting),
    (name = "data", data = 0x"00 ff"),
  ],
  compatibilityDate = "2026-01-01",
  bindings = [
    (name = "SELF", service = (name = "main", entrypoint = "extra", props = (json = "{}"))),
    (name = "TEXT", text = "one" " two"),
    (name = "KEY", cryptoKey = (hex = "0aff", algorithm = (name = "HMAC"), usages = [sign])),
  ],
);
"#;
    let folder = folder(&[
        ("config.capnp", text),
        ("other.capnp", "const greeting :Text = \"hello\";"),
        ("worker.js", "export default {}"),
    ]);
    let config = Config::from_text(&folder.path().join("config.capnp"), None, &[]);
    let config = config.expect("a configuration");
    let names: Vec<_> = config
        .services
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    assert_eq!(names, ["main", "files", "internet"]);
    assert_eq!(config.sockets[0].service.name, "main");
    let ServiceKind::Worker(worker) = &config.services[0].kind else {
        panic!("a worker");
    };
    let Source::Modules(modules) = &worker.source else {
        panic!("modules");
    };
    let modules: Vec<_> = modules
        .iter()
        .map(|module| (module.kind, module.content.as_slice()))
        .collect();
    let expected: [(ModuleKind, &[u8]); 3] = [
        (ModuleKind::EsModule, b"export default {}"),
        (ModuleKind::Text, b"hello"),
        (ModuleKind::Data, b"\0\xff"),
    ];
    assert_eq!(modules, expected);
    let BindingKind::Service(service) = &worker.bindings[0].kind else {
        panic!("a service");
    };
    assert_eq!(service.entrypoint.as_deref(), Some("extra"));
    assert_eq!(service.props.as_deref(), Some("{}"));
    assert!(matches!(&worker.bindings[1].kind, BindingKind::Text(text) if text == "one two"));
    assert_eq!(worker.global_outbound.name, "internet");
}

#[test]
fn all_faults_are_listed_with_their_paths() {
    let text = format!(
        "{HEAD}{}",
        r#"const config :Workerd.Config = (
  services = [
    (name = "a", worker = (
      modules = [(name = "m", esModule = "")],
      bindings = [
        (name = "DB", hyperdrive = (designator = "a")),
        (name = "S", service = "nobody"),
        (name = "N"),
        (name = "X", text = "a", json = "1"),
      ],
      typo = 1,
    )),
    (name = "a", disk = (path = 3)),
  ],
);"#
    );
    let error = read(&text, None).expect_err("faults");
    let expected = "\
services[0].worker.bindings[0].hyperdrive: binding \"DB\": Hyperdrive is not offered
services[0].worker.bindings[2]: binding \"N\" says no kind
services[0].worker.bindings[3]: \"text\" and \"json\" exclude one another
services[0].worker.typo: no such field
services[1].disk.path: a text is expected, not a number
services[1].name: \"a\" is the name of two services
services[0].worker.bindings[1].service: no service is called \"nobody\"";
    assert_eq!(error, expected);
}

/// The first service, as a worker.
fn first_worker(config: &Config) -> &WorkerConfig {
    match &config.services[0].kind {
        ServiceKind::Worker(worker) => worker,
        other => panic!("a worker, not {other:?}"),
    }
}

#[test]
fn durable_objects_have_classes_storage_and_bindings() {
    let text = r#"const config :Workerd.Config = (
  services = [
    (name = "w", worker = (
      serviceWorkerScript = "",
      durableObjectNamespaces = [
        (className = "Kept", uniqueKey = "k", enableSql = true),
        (className = "Passing", ephemeralLocal = void, preventEviction = true),
      ],
      durableObjectStorage = (localDisk = "disk"),
      bindings = [
        (name = "A", durableObjectNamespace = "Kept"),
        (name = "B", durableObjectNamespace = (className = "Other", serviceName = "other")),
      ],
    )),
    (name = "other", worker = (
      serviceWorkerScript = "",
      durableObjectNamespaces = [(className = "Other", uniqueKey = "o")],
      durableObjectStorage = (inMemory = void),
    )),
    (name = "disk", disk = (path = "/srv", writable = true)),
  ],
);"#;
    let config = read(text, None).expect("a configuration");
    let worker = first_worker(&config);
    let classes: Vec<_> = worker
        .durable_objects
        .iter()
        .map(|class| {
            let flags = (class.sql, class.prevent_eviction);
            (
                class.class_name.as_str(),
                class.unique_key.as_deref(),
                flags,
            )
        })
        .collect();
    assert_eq!(
        classes,
        [
            ("Kept", Some("k"), (true, false)),
            ("Passing", None, (false, true))
        ]
    );
    assert_eq!(
        worker.durable_objects[1].path,
        "services[0].worker.durableObjectNamespaces[1]"
    );
    assert_eq!(
        worker.durable_storage,
        DurableStorage::LocalDisk("disk".to_string())
    );
    let bound: Vec<_> = worker
        .bindings
        .iter()
        .map(|binding| match &binding.kind {
            BindingKind::DurableObjects {
                class_name,
                service,
            } => (class_name.as_str(), service.as_deref()),
            other => panic!("objects, not {other:?}"),
        })
        .collect();
    assert_eq!(bound, [("Kept", None), ("Other", Some("other"))]);
}

#[test]
fn all_faults_of_durable_objects_are_listed_with_their_paths() {
    let text = r#"const config :Workerd.Config = (
  services = [
    (name = "a", worker = (
      serviceWorkerScript = "",
      durableObjectNamespaces = [
        (uniqueKey = "k"),
        (className = "B"),
        (className = "C", uniqueKey = "", ephemeralLocal = void),
        (className = "D", uniqueKey = "k", enableSql = 1, typo = 1),
        (className = "D", ephemeralLocal = void, container = (imageName = "i")),
      ],
      bindings = [
        (name = "E", durableObjectNamespace = "Nowhere"),
        (name = "F", durableObjectNamespace = (className = "D", serviceName = "nobody")),
        (name = "G", durableObjectNamespace = (className = "D", serviceName = "disk")),
        (name = "H", durableObjectNamespace = (className = "D", serviceName = "b")),
        (name = "I", durableObjectNamespace = ()),
      ],
      durableObjectUniqueKeyModifier = "m",
    )),
    (name = "b", worker = (
      serviceWorkerScript = "", durableObjectStorage = (localDisk = "disk"),
    )),
    (name = "c", worker = (
      serviceWorkerScript = "", durableObjectStorage = (localDisk = "b", inMemory = void),
    )),
    (name = "d", worker = (
      serviceWorkerScript = "", durableObjectStorage = (localDisk = "b"),
    )),
    (name = "e", worker = (
      serviceWorkerScript = "", durableObjectStorage = (localDisk = "nobody"),
    )),
    (name = "disk", disk = "/srv"),
  ],
);"#;
    let error = read(text, None).expect_err("faults");
    let expected = "\
services[0].worker.durableObjectNamespaces[0].className: is missing
services[0].worker.durableObjectNamespaces[1]: says neither uniqueKey nor ephemeralLocal
services[0].worker.durableObjectNamespaces[2]: \"uniqueKey\" and \"ephemeralLocal\" exclude one another
services[0].worker.durableObjectNamespaces[2].uniqueKey: is missing
services[0].worker.durableObjectNamespaces[3].enableSql: true or false is expected, not a number
services[0].worker.durableObjectNamespaces[3].typo: no such field
services[0].worker.durableObjectNamespaces[4].container: \"container\" is not offered
services[0].worker.durableObjectNamespaces[4].className: \"D\" is the class of two namespaces
services[0].worker.durableObjectStorage: says nowhere, and there are classes with a uniqueKey: write inMemory or localDisk
services[0].worker.bindings[4].durableObjectNamespace.className: is missing
services[0].worker.durableObjectUniqueKeyModifier: \"durableObjectUniqueKeyModifier\" is not offered
services[2].worker.durableObjectStorage: \"inMemory\" and \"localDisk\" exclude one another
services[0].worker.durableObjectNamespaces[3].uniqueKey: is the key of another class too
services[0].worker.bindings[0].durableObjectNamespace.className: the worker has no namespace of the class \"Nowhere\"
services[0].worker.bindings[1].durableObjectNamespace.serviceName: no service is called \"nobody\"
services[0].worker.bindings[2].durableObjectNamespace.serviceName: service \"disk\" is no worker
services[0].worker.bindings[3].durableObjectNamespace.className: service \"b\" has no namespace of the class \"D\"
services[1].worker.durableObjectStorage.localDisk: service \"disk\" is read-only; it needs \"writable = true\"
services[3].worker.durableObjectStorage.localDisk: service \"b\" is no disk
services[4].worker.durableObjectStorage.localDisk: no service is called \"nobody\"";
    assert_eq!(error, expected);
}

#[test]
fn a_file_that_is_no_configuration_says_where() {
    let check = |text: &str, name: Option<&str>, expected: &str| {
        assert_eq!(read(text, name).expect_err("an error"), expected, "{text}");
    };
    check(
        "const a :Text = \"x\";",
        None,
        "config.capnp: no constant of type Config",
    );
    check(
        "const a :Config = ();\nconst b :Config = ();",
        None,
        "config.capnp: several constants of type Config: name one of a, b",
    );
    check(
        "const a :Config = ();",
        Some("b"),
        "config.capnp: no constant of type Config is called \"b\"",
    );
    check(
        "const a :Config = (services = [);",
        None,
        "config.capnp:1:32: a value is expected here, not ')'",
    );
    check(
        "const a :Config = (x = .y);\nconst y :Text = .y;",
        None,
        "config.capnp:2:17: constants refer to one another without end",
    );
    check(
        "const a :Config = (x = embed \"missing\");",
        None,
        "config.capnp:1:24: embed \"missing\": No such file or directory (os error 2)",
    );
}

#[test]
fn a_text_cannot_be_nested_without_end() {
    let deep = format!(
        "const a :Config = (x = {}{});",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let error = read(&deep, None).expect_err("too deep");
    assert!(error.ends_with("this is nested too deeply"), "{error}");
}

#[test]
fn what_is_no_message_is_refused() {
    let check = |bytes: &[u8]| {
        let error = Config::from_binary(bytes).expect_err("no message");
        assert!(matches!(error, ConfigError::Binary(_)), "{error}");
    };
    check(b"");
    check(b"export default {}");
    // One segment of 2^32 - 1 words.
    check(&[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    // A list pointer where a struct is expected.
    check(&[0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn a_missing_file_is_named() {
    let error = Config::from_text(Path::new("/nowhere.capnp"), None, &[]).expect_err("no file");
    assert!(error.to_string().starts_with("/nowhere.capnp: "), "{error}");
}

#[test]
fn a_wrapped_binding_is_a_d1_database() {
    let config = |wrapped: &str| {
        format!(
            r#"const config :Workerd.Config = (services = [(name = "w", worker = (
  serviceWorkerScript = "",
  bindings = [(name = "A", wrapped = ({wrapped}))],
))]);"#
        )
    };
    let d1 = r#"moduleName = "cloudflare-internal:d1-api", innerBindings = "#;
    let sound = config(&format!(r#"{d1}[(name = "fetcher", service = "w")]"#));
    let found = read(&sound, None).expect("a configuration");
    let BindingKind::D1(service) = &first_worker(&found).bindings[0].kind else {
        panic!("a database");
    };
    assert_eq!(service.name, "w");
    let path = "services[0].worker.bindings[0].wrapped";
    let check = |wrapped: &str, expected: &str| {
        let error = read(&config(wrapped), None).expect_err("a fault");
        assert_eq!(error, format!("{path}{expected}"));
    };
    check(
        r#"moduleName = "x:y""#,
        ".moduleName: binding \"A\": a binding that \"x:y\" wraps is not offered",
    );
    check("", ".moduleName: is missing");
    let one = ".innerBindings: one service is expected, called \"fetcher\"";
    check(&format!("{d1}[]"), one);
    check(&format!(r#"{d1}[(name = "other", service = "w")]"#), one);
    check(&format!(r#"{d1}[(name = "fetcher", text = "w")]"#), one);
    check(
        &format!(r#"{d1}[(name = "fetcher", service = "nobody")]"#),
        ".innerBindings[0].service: no service is called \"nobody\"",
    );
}
