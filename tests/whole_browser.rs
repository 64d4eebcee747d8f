//! The pages in a real Chromium: nothing is refused by their own policy, nothing is wider than the window, light and
//! dark, on a phone and on a desk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use crate::product::{Mailbox, Product};
use crate::whole_serving::Served;

const DARK: &str = "--blink-settings=preferredColorScheme=0";
const LIGHT: &str = "--blink-settings=preferredColorScheme=1";

/// Runs the browser to its end; what it wrote on standard output and error.
fn browse(arguments: &[&str]) -> [String; 2] {
    let profile = tempfile::tempdir().unwrap();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let output = names.iter().find_map(|name| {
        let flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--timeout=60000",
        ];
        let mut command = Command::new(name);
        command
            .args(flags)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(arguments);
        command.output().ok()
    });
    let output = output.unwrap_or_else(|| panic!("none of {names:?} is installed"));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// One page of each kind, by its path in the manifest; for reports the one with the longest page.
fn pages(product: &Product) -> BTreeMap<&'static str, String> {
    let files = product.current().manifest.files;
    let largest = |folder: &str| {
        let pages = files.iter().filter(|(path, _)| path.starts_with(folder));
        pages
            .max_by_key(|(_, entry)| entry.bytes)
            .unwrap()
            .0
            .clone()
    };
    BTreeMap::from([
        ("domain", largest("site/domains/")),
        ("intake", "site/intake.html".into()),
        ("overview", "site/overview.html".into()),
        ("report", largest("site/reports/")),
        ("senders", "site/senders.html".into()),
        ("sources", "site/sources.html".into()),
    ])
}

/// A demo with names as long as names can be, which is what makes pages too wide.
fn product() -> Product {
    let (mut mailbox, product) = (Mailbox::invented(120, 30), Product::new());
    let label = "a".repeat(60);
    let long = format!("{label}.{label}.{label}.example.com");
    let word = "W".repeat(300);
    mailbox.add(
        &format!("{}.xml", "n".repeat(200)),
        format!(
            "<feedback><report_metadata><org_name>{word}</org_name><email>{word}@r.example</email><report_id>{word}</report_id>\
             <date_range><begin>1772928000</begin><end>1773014399</end></date_range></report_metadata>\
             <policy_published><domain>example.com</domain><p>none</p></policy_published>{}</feedback>",
            format!(
                "<record><row><source_ip>2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff</source_ip><count>123456789012</count>\
                 <policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf>\
                 <reason><type>other</type><comment>{word}</comment></reason></policy_evaluated></row>\
                 <identifiers><header_from>{long}</header_from><envelope_from>{long}</envelope_from></identifiers>\
                 <auth_results><dkim><domain>{long}</domain><selector>{label}</selector><result>fail</result>\
                 <human_result>{word}</human_result></dkim><spf><domain>{long}</domain><result>fail</result></spf>\
                 </auth_results></record>"
            )
            .repeat(60)
        )
        .as_bytes(),
    );
    mailbox.add("broken.xml", format!("<feedback>{word}").as_bytes());
    let said = product.ingest(&mailbox, &mailbox.names);
    assert!(
        said.last_line().starts_with("accepted 1"),
        "{}{}",
        said.out,
        said.err
    );
    product
}

#[test]
fn no_page_is_wider_than_a_phone_or_a_desk_in_light_and_dark() {
    let product = product();
    let folder = product.current().folder;
    let read = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
    let pages = pages(&product).into_iter();
    let pages: Vec<_> = pages.map(|(name, path)| (name, read(&path))).collect();
    assert_fits(&product, &read("site/assets/style.css"), &pages);
}

/// Fails where a page is wider than its window, or light and dark are the same.
pub fn assert_fits(product: &Product, style: &str, pages: &[(&str, String)]) {
    let mut frames = String::new();
    for (name, page) in pages {
        assert!(page.contains("<link rel=\"stylesheet\""), "{name}");
        let page = page.replace("</head>", &format!("<style>{style}</style></head>"));
        let page = page.replace('&', "&amp;").replace('"', "&quot;");
        for (width, height) in [(390, 800), (1_280, 900)] {
            frames += &format!(
                "<iframe name=\"{name}\" style=\"width:{width}px;height:{height}px;border:0\" srcdoc=\"{page}\"></iframe>"
            );
        }
    }
    let script = "onload = () => { document.getElementById('said').textContent = [...document.querySelectorAll('iframe')].map(frame => { const one = frame.contentWindow; \
                  const page = one.document.documentElement; \
                  const wide = [...page.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > one.innerWidth + 1 && !e.closest('.scroll')); \
                  return ['', one.name, one.innerWidth, page.scrollWidth, one.matchMedia('(prefers-color-scheme: dark)').matches, \
                  one.getComputedStyle(one.document.body).backgroundColor, wide.slice(0, 3).map(e => e.tagName + '.' + e.className).join(' '), ''].join('|') }).join('\\n') + '\\n' }";
    let html = format!(
        "<!doctype html><meta charset=\"utf-8\"><body>{frames}<pre id=\"said\"></pre><script>{script}</script>"
    );
    let file = product.home().join("frames.html");
    fs::write(&file, html).unwrap();
    let mut grounds = Vec::new();
    for (scheme, is_dark) in [(LIGHT, "false"), (DARK, "true")] {
        let [dom, _] = browse(&[scheme, "--dump-dom", &format!("file://{}", file.display())]);
        let said = dom.rsplit("<pre id=\"said\">").next().unwrap();
        let lines: Vec<Vec<&str>> = said
            .lines()
            .map(|line| line.trim_start_matches("<pre>").split('|').collect())
            .filter(|cells: &Vec<_>| cells.len() == 8)
            .collect();
        assert_eq!(lines.len(), 2 * pages.len(), "{said}");
        for line in &lines {
            let (inner, scroll): (u32, u32) = (line[2].parse().unwrap(), line[3].parse().unwrap());
            assert!(scroll <= inner, "wider than the window: {line:?}");
            assert_eq!((line[4], line[6]), (is_dark, ""), "{line:?}");
        }
        grounds.push(lines[0][5].to_owned());
    }
    assert_ne!(grounds[0], grounds[1], "light and dark look different");
}

#[test]
fn the_browser_loads_every_page_without_a_complaint() {
    let product = product();
    let log = ["--enable-logging=stderr", "--v=0"];
    let control = product.home().join("control.html");
    fs::write(&control, "<script>console.error('complaint')</script>").unwrap();
    let [_, said] = browse(&[
        log[0],
        log[1],
        "--dump-dom",
        &format!("file://{}", control.display()),
    ]);
    assert!(
        said.contains("CONSOLE"),
        "the browser tells what pages complain of: {said}"
    );
    let served = Served::start(&product);
    for (name, path) in pages(&product) {
        let below = path
            .strip_prefix("site")
            .and_then(|path| path.strip_suffix(".html"))
            .unwrap();
        let url = format!("http://{}{below}", served.address);
        for (scheme, width, height) in [(DARK, 390, 800), (LIGHT, 1_280, 900)] {
            let picture = product.home().join("picture.png");
            let [shot, size] = [
                format!("--screenshot={}", picture.display()),
                format!("--window-size={width},{height}"),
            ];
            let [_, said] = browse(&[log[0], log[1], scheme, &size, &shot, &url]);
            for complaint in ["CONSOLE", "Refused to", "ERR_"] {
                assert!(!said.contains(complaint), "{name} at {width}: {said}");
            }
            assert_has_content(&picture, &format!("{name} at {width}"));
            fs::remove_file(&picture).unwrap();
        }
    }
}

/// A picture of a page with text on it has lines that differ; a blank one has not.
fn assert_has_content(picture: &Path, what: &str) {
    let png = fs::read(picture).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"), "{what}");
    let (mut packed, mut rest, mut width) = (Vec::new(), &png[8..], 0);
    while rest.len() >= 12 {
        let bytes = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        match &rest[4..8] {
            b"IHDR" => width = u32::from_be_bytes(rest[8..12].try_into().unwrap()) as usize,
            b"IDAT" => packed.extend(&rest[8..8 + bytes]),
            _ => {}
        }
        rest = &rest[12 + bytes..];
    }
    let mut pixels = Vec::new();
    flate2::read::ZlibDecoder::new(packed.as_slice())
        .read_to_end(&mut pixels)
        .unwrap();
    let marked = pixels.iter().filter(|byte| **byte != 0).count();
    assert!(width > 0 && marked > 20 * width, "{what}: {marked} marks");
}
