//! What the commands say and how they end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use crate::product::{AS_OF, Mailbox, Product};

/// The last line of `sentinel ingest`.
fn counts(accepted: u64, duplicate: u64, not_a_report: u64, refused: u64) -> String {
    format!(
        "accepted {accepted}, duplicate {duplicate}, conflict 0, no-traffic 0, not-a-report {not_a_report}, foreign 0, refused {refused}"
    )
}

/// Three reports, bare or in mails.
fn three() -> Mailbox {
    let invented = Mailbox::invented(12, 3);
    let mut mailbox = Mailbox::empty();
    for index in 0..3 {
        mailbox.add("report", &invented.bytes(index));
    }
    mailbox
}

#[test]
fn the_same_files_again_are_duplicates_and_nothing_else() {
    let (mailbox, product) = (three(), Product::new());
    let first = product.ingest(&mailbox, &mailbox.names);
    assert_eq!(
        (first.code, first.last_line()),
        (0, counts(3, 0, 0, 0).as_str()),
        "{}",
        first.err
    );
    let figures = product.query(&["from daily order by all"]);
    let again = product.ingest(&mailbox, &mailbox.names);
    assert_eq!(
        (again.code, again.last_line()),
        (0, counts(0, 3, 0, 0).as_str()),
        "{}",
        again.err
    );
    assert_eq!(product.query(&["from daily order by all"]), figures);
}

#[test]
fn a_run_that_finds_nothing_publishes_nothing() {
    let (mailbox, product) = (three(), Product::new());
    product.ingest(&mailbox, &mailbox.names);
    let before = fs::read_to_string(product.data().join("ledger/events.jsonl")).unwrap();
    let said = product.poll();
    assert_eq!(
        (said.code, said.last_line()),
        (0, counts(0, 0, 0, 0).as_str()),
        "{}",
        said.err
    );
    assert_eq!(product.current().number, 1);
    let after = fs::read_to_string(product.data().join("ledger/events.jsonl")).unwrap();
    assert_eq!(after, before);
}

#[test]
fn an_empty_folder_before_anything_else_is_a_site_that_says_how_to_begin() {
    let product = Product::new();
    assert_eq!(product.poll().code, 0);
    let page = fs::read_to_string(product.current().folder.join("site/overview.html")).unwrap();
    assert!(page.contains("sentinel ingest"));
    product.assert_verified("nothing");
}

#[test]
fn refused_documents_are_told_with_file_member_code_and_message() {
    let (mut mailbox, product) = (three(), Product::new());
    let mut zipped = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zipped.start_file("broken.xml", options).unwrap();
    zipped.write_all(b"<feedback><report_metadata>").unwrap();
    mailbox.add("box.zip", &zipped.finish().unwrap().into_inner());
    let said = product.ingest(&mailbox, &mailbox.names);
    assert_eq!(
        (said.code, said.last_line()),
        (1, counts(3, 0, 0, 1).as_str()),
        "{}",
        said.err
    );
    let line = said
        .err
        .lines()
        .find(|line| line.starts_with("refused "))
        .unwrap_or_default();
    let rest = line
        .strip_prefix("refused 0003 box.zip!broken.xml ")
        .unwrap_or_else(|| panic!("{}", said.err));
    let (code, message) = rest.split_once(": ").unwrap();
    assert!(
        code.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
        "{code}"
    );
    assert!(message.len() > 10, "{message}");
    let listed = product.query(&["select file_name, path, code, detail from documents join items using (item_no) where outcome = 'refused'"]);
    assert_eq!(
        (listed.len(), &listed[0]["code"]),
        (1, &code.into()),
        "{listed:?}"
    );
}

#[test]
fn a_store_that_is_made_anew_does_not_tell_of_earlier_runs_once_more() {
    let (mut mailbox, product) = (three(), Product::new());
    mailbox.add("cut.xml", b"<feedback><report_metadata>");
    let first = product.ingest(&mailbox, &mailbox.names[1..]);
    assert_eq!(
        (first.code, first.last_line()),
        (1, counts(2, 0, 0, 1).as_str()),
        "{}",
        first.err
    );
    product.configure("limits:\n  depth: 31\n");
    let second = product.ingest(&mailbox, &mailbox.names[..1]);
    assert_eq!(
        (second.code, second.last_line()),
        (0, counts(1, 0, 0, 0).as_str()),
        "{}",
        second.err
    );
    assert!(!second.err.contains("cut.xml"), "{}", second.err);
    let items = "select items::integer as items from runs order by run_no";
    assert_eq!(
        product.query(&[items]),
        [
            serde_json::json!({"items": 3}),
            serde_json::json!({"items": 1})
        ]
    );
    assert_eq!(product.outcomes()["refused"], 1);
    product.assert_verified("made anew");
}

#[test]
fn a_path_that_is_not_there_is_a_mistake_and_the_others_are_published() {
    let (mailbox, product) = (three(), Product::new());
    let names = [mailbox.names.clone(), vec!["absent.xml".into()]].concat();
    let said = product.ingest(&mailbox, &names);
    assert_eq!(
        (said.code, said.last_line()),
        (2, counts(3, 0, 0, 0).as_str()),
        "{}",
        said.err
    );
    assert!(said.err.contains("absent.xml"), "{}", said.err);
    assert_eq!(product.outcomes()["accepted"], 3);
}

#[test]
fn a_day_that_goes_back_is_a_mistake_of_the_caller() {
    let (mailbox, product) = (three(), Product::new());
    product.ingest(&mailbox, &mailbox.names[..1]);
    let said = product.ingest_as_of(&mailbox, &mailbox.names[1..], "2026-03-01");
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(
        said.err.contains("2026-03-01") && said.err.contains(AS_OF),
        "{}",
        said.err
    );
    assert_eq!(product.outcomes()["accepted"], 1);
}

#[test]
fn mistakes_of_the_caller_are_exit_code_2_and_touch_nothing() {
    let product = Product::new();
    for words in [
        &["ingest"][..],
        &["ingest", "--as-of", "yesterday", "."],
        &["nonsense"],
        &["query"],
    ] {
        assert_eq!(product.run(words).code, 2, "{words:?}");
    }
    product.configure("app: {data_dir: twice}\n");
    assert_eq!(
        product.run(&["ingest", "."]).code,
        2,
        "a key that is there twice"
    );
    product.configure("serverr: {}\n");
    let said = product.run(&["ingest", "."]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("serverr") && said.err.contains("server"),
        "{}",
        said.err
    );
    assert!(!product.data().exists());
}

#[test]
fn what_needs_a_publication_fails_before_there_is_one() {
    let product = Product::new();
    for words in [&["query", "from daily"][..], &["verify"]] {
        let said = product.run(words);
        assert_eq!(said.code, 3, "{words:?}: {}", said.err);
        assert!(
            said.err.contains("data") || said.err.contains("publish"),
            "{}",
            said.err
        );
    }
}

#[test]
fn a_changed_file_is_found_by_verify() {
    let (mailbox, product) = (three(), Product::new());
    product.ingest(&mailbox, &mailbox.names);
    let page = product.current().folder.join("site/overview.html");
    fs::remove_file(&page).unwrap();
    fs::write(&page, "better numbers").unwrap();
    let said = product.run(&["verify"]);
    assert_eq!(said.code, 3);
    assert!(
        said.out.contains("site/overview.html: changed on disk"),
        "{}",
        said.out
    );
}

#[test]
fn standard_input_folders_maildir_and_mbox_hold_the_same_reports() {
    let mut mailbox = Mailbox::empty();
    let invented = Mailbox::invented(24, 6);
    let mails = (0..invented.names.len()).map(|index| invented.bytes(index));
    let mails: Vec<_> = mails
        .filter(|bytes| bytes.starts_with(b"From: "))
        .take(3)
        .collect();
    assert_eq!(mails.len(), 3);
    let root = mailbox.folder.path().to_owned();
    for folder in ["deep/er", "Maildir/cur", "Maildir/new", "Maildir/tmp"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    let mut mbox = Vec::new();
    for (index, mail) in mails.iter().enumerate() {
        fs::write(root.join(format!("deep/er/{index}.eml")), mail).unwrap();
        let folder = ["cur", "new", "new"][index];
        fs::write(
            root.join(format!("Maildir/{folder}/17{index}.M1.host.example:2,S")),
            mail,
        )
        .unwrap();
        mbox.extend(b"From reports@example.net Mon Mar  9 10:00:00 2026\n");
        mbox.extend(mail.iter().filter(|byte| **byte != b'\r'));
        mbox.extend(b"\n\n");
    }
    fs::write(root.join("Maildir/tmp/half"), &mails[0][..100]).unwrap();
    mailbox.add("all.mbox", &mbox);
    let mbox_name = mailbox.names[0].clone();
    for path in ["deep", "Maildir", mbox_name.as_str()] {
        let product = Product::new();
        let said = product.run_in(&root, &["ingest", "--as-of", AS_OF, path]);
        assert_eq!(
            (said.code, said.last_line()),
            (0, counts(3, 0, 0, 0).as_str()),
            "{path}: {}",
            said.err
        );
    }
    for input in [&mbox, &mails[0]] {
        let product = Product::new();
        let mut command = product.command(&root, &["ingest", "--as-of", AS_OF, "-"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let expect = if input.len() == mbox.len() { 3 } else { 1 };
        assert_eq!(
            String::from_utf8(output.stdout).unwrap().trim_end(),
            counts(expect, 0, 0, 0)
        );
    }
}

#[test]
fn a_store_that_cannot_be_opened_is_told_while_standard_input_stays_open() {
    let product = Product::new();
    fs::create_dir_all(product.data().join("work/sentinel.duckdb")).unwrap();
    let mut child = product
        .command(&product.home(), &["ingest", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let open = child.stdin.take();
    let status = child.wait().unwrap();
    drop(open);
    assert_eq!(status.code(), Some(3));
}

#[test]
fn a_lock_of_a_process_that_died_is_free() {
    let (mailbox, product) = (three(), Product::new());
    fs::create_dir_all(product.data().join("work")).unwrap();
    fs::write(
        product.data().join("work/run.lock"),
        "process 1 (sentinel ingest)\n",
    )
    .unwrap();
    assert_eq!(product.ingest(&mailbox, &mailbox.names).code, 0);
}

#[test]
fn a_run_waits_for_another_and_says_for_whom() {
    let (mailbox, product) = (three(), Product::new());
    fs::create_dir_all(product.data().join("work")).unwrap();
    let lock = fs::File::create(product.data().join("work/run.lock")).unwrap();
    lock.lock().unwrap();
    let mut command = product.command(mailbox.folder.path(), &["ingest", "--as-of", AS_OF]);
    let mut child = command
        .args(&mailbox.names)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = String::new();
    let mut lines = std::io::BufReader::new(child.stderr.take().unwrap());
    std::io::BufRead::read_line(&mut lines, &mut told).unwrap();
    assert!(told.starts_with("waiting for "), "{told}");
    assert!(!product.data().join("archive").exists());
    drop(lock);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(product.outcomes()["accepted"], 3);
}
