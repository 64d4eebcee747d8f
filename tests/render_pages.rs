//! The product's own panels, run on a database without rows, make pages and JSON.

use std::collections::BTreeMap;

use sentinel::query::{Catalogue, empty_database, run};
use sentinel::render::{Site, Skin};

#[test]
fn pages_of_an_empty_database_say_how_to_begin() {
    let catalogue = Catalogue::load(None).expect("embedded queries are right");
    let database = empty_database(&catalogue).expect("schema is right");
    let skin = Skin::new("").expect("templates are right");
    let as_of = "2026-11-20".parse().expect("a day");
    let site = Site {
        skin: &skin,
        catalogue: &catalogue,
        as_of,
        domains: &[],
    };
    let mut files = BTreeMap::new();
    let mut emit = |path: &str, bytes: &[u8]| {
        files.insert(path.to_owned(), String::from_utf8(bytes.to_vec())?);
        Ok(())
    };
    let mut rows = |query: &_, params: &_| run(&database, query, params);
    site.overview(&mut rows, &mut emit).expect("overview");
    site.domains(&["example.com"], &mut rows, &mut emit)
        .expect("domain");
    site.sources(&mut rows, &mut emit).expect("sources");
    site.intake(&mut rows, &mut emit).expect("intake");
    site.api_domains(&mut rows, &mut emit).expect("domains");
    site.api_homepage(&mut rows, &mut emit).expect("homepage");
    assert!(files["site/overview.html"].contains("sentinel ingest"));
    assert!(
        files["site/api/homepage.json"]
            .starts_with("{\"status\":\"ok\",\"dmarc_pass_rate\":\"n/a\"")
    );
    assert!(files.values().all(|file| !file.contains("cannot be drawn")));
}
