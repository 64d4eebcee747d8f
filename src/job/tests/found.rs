//! What a run makes of the folders as it finds them: changed by hand, made by other code, restored from a backup.

use super::*;

#[test]
fn what_was_changed_by_hand_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let paths = input(folder.path());
    let world = World::new(2);
    world.ingest(&paths);
    let page = world.current().folder.join("site/overview.html");
    fs::remove_file(&page).unwrap();
    fs::write(&page, "better numbers").unwrap();
    let found = world
        .with_run(|run| verify(run, &mut |_| {}))
        .unwrap()
        .differences;
    assert_eq!(found, ["site/overview.html: changed on disk"]);
}

#[test]
fn what_was_taken_from_the_published_files_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let paths = input(folder.path());
    let world = World::new(2);
    world.ingest(&paths[..40]);
    let of_lake = |world: &World| {
        let files = world.current().manifest.files;
        files
            .keys()
            .filter(|path| path.starts_with("lake/"))
            .cloned()
            .collect::<Vec<_>>()
    };
    for path in of_lake(&world) {
        fs::remove_file(world.current().folder.join(path)).unwrap();
    }
    world.ingest(&paths[40..42]);
    world.assert_verified("files that the base lacks");
    let changed = world.current().folder.join(&of_lake(&world)[0]);
    fs::remove_file(&changed).unwrap();
    fs::write(&changed, "other bytes").unwrap();
    let lost = world.current().folder.join("site/overview.html");
    fs::remove_file(lost).unwrap();
    world.with_run(|run| rebuild(run, &mut |_| {})).unwrap();
    world.assert_verified("rebuild");
}

#[test]
fn other_code_makes_everything_anew_without_being_told() {
    let folder = tempfile::tempdir().unwrap();
    let paths = input(folder.path());
    let world = World::new(2);
    world.ingest(&paths[..30]);
    world.with_run(|run| {
        let store = StoreConfig {
            code_hash: "newer code".into(),
            ..run.store.clone()
        };
        let done = ingest(
            &Run {
                store,
                ..run.clone()
            },
            &paths[30..],
            &mut |_| {},
        )
        .unwrap();
        // What the first run told of is loaded again, and not told again.
        assert_eq!(done.loaded.items, paths.len() as u64 - 30);
        let generation = done.generation.unwrap();
        assert_eq!(
            generation.manifest.values.archive_position,
            paths.len() as u64
        );
    });
    let whole = World::new(2);
    whole.ingest(&paths);
    assert_eq!(
        world.current().manifest.files,
        whole.current().manifest.files
    );
}

#[test]
fn known_bytes_are_read_from_where_they_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let paths = input(folder.path());
    let world = World::new(2);
    let again = || [paths[0].clone(), paths[1].clone(), paths[0].clone()];
    let first = world.ingest(&again()).loaded;
    assert_eq!(
        (
            first.count(Outcome::Accepted),
            first.count(Outcome::Duplicate)
        ),
        (2, 1)
    );
    let second = world.ingest(&again()).loaded;
    assert_eq!(
        (
            second.count(Outcome::Accepted),
            second.count(Outcome::Duplicate)
        ),
        (0, 3)
    );
    let store = Store::open(world.config()).unwrap();
    let sql = "select string_agg(content || ' ' || (bytes > 0), ', ' order by item_no) from items";
    let contents: String = store
        .connection()
        .query_row(sql, [], |row| row.get(0))
        .unwrap();
    assert_eq!(
        contents,
        "kept true, kept true, known true, known true, known true, known true"
    );
}

#[test]
fn a_path_that_is_not_there_is_told_after_the_rest_is_published() {
    let folder = tempfile::tempdir().unwrap();
    let mut paths = input(folder.path());
    paths.truncate(2);
    paths.push(folder.path().join("absent").into_os_string());
    let world = World::new(2);
    let done = world.ingest(&paths);
    assert!(format!("{:#}", done.unread.unwrap()).contains("absent"));
    assert_eq!(done.loaded.items, 2);
    assert!(done.generation.is_some());
}

#[test]
fn an_archive_that_was_restored_from_a_backup_is_loaded_anew() {
    let folder = tempfile::tempdir().unwrap();
    let paths = input(folder.path());
    for cut in [10, paths.len() - 10] {
        // The archive goes back to `cut` items, and what comes then is fewer or more than what it had.
        let world = World::new(2);
        world.ingest(&paths[..cut]);
        let backup = archive_files(&world);
        world.ingest(&paths[cut..]);
        for name in archive_files(&world) {
            if !backup.contains(&name) {
                fs::remove_file(name).unwrap();
            }
        }
        let done = world.ingest(&paths[20..30]);
        assert_eq!(done.loaded.items, 10);
        let expect = World::new(2);
        expect.ingest(&paths[..cut]);
        expect.ingest(&paths[20..30]);
        world.assert_same(&expect, "after the restoration");
    }
}

fn archive_files(world: &World) -> Vec<PathBuf> {
    let entries = fs::read_dir(world.folders().archive()).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}
