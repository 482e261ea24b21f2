use tempfile::TempDir;

use super::*;
use crate::campaign::Workspace;
use crate::digest;

const WORKSPACE: &str = "[sender]\nfrom = \"a@b.example\"\npostal_address = \"1 Road\"\n[account.main]\nhost = \"localhost\"\n[unsubscribe]\nmailto = \"u@b.example\"\n";

fn depot(root: &Path, files: &str, access: Access) -> anyhow::Result<Depot> {
    std::fs::write(root.join("mailshot.toml"), format!("{WORKSPACE}[files]\n{files}")).unwrap();
    let workspace = Workspace::load(root).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    Depot::open(&workspace.depot.unwrap(), root, access)
}

fn big(root: &Path, name: &str, content: &[u8]) -> BigFile {
    let path = root.join("source.bin");
    std::fs::write(&path, content).unwrap();
    BigFile {
        name: name.to_owned(),
        size: content.len() as u64,
        digest: digest::of_file(&path).unwrap(),
        path,
        changed_at: None,
    }
}

fn in_depot(root: &Path) -> Vec<String> {
    let folders = std::fs::read_dir(root.join("www"))
        .into_iter()
        .flatten()
        .flatten();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.path()).unwrap().flatten());
    files
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .collect()
}

const NOW_MS: i64 = 1_795_410_622_000;
const DAY_MS: i64 = 86_400_000;
const FOLDER: &str =
    "folder = \"www\"\nurl = \"https://files.example.com/f/\"\ntry_links = false\nexpire = \"2d\"\n";

#[tokio::test]
async fn a_file_lies_in_the_folder_once_and_its_link_cannot_be_guessed() {
    let folder = TempDir::new().unwrap();
    let depot = depot(folder.path(), FOLDER, Access::Full).unwrap();
    let file = big(folder.path(), "手册 1.pdf", b"content");
    assert_eq!(
        depot.put(std::slice::from_ref(&file), 0).await.unwrap(),
        (1, Octets(7))
    );
    assert_eq!(
        depot.put(std::slice::from_ref(&file), 0).await.unwrap(),
        (0, Octets(0))
    );
    assert_eq!(in_depot(folder.path()), ["手册 1.pdf"]);
    let link = depot.link(&file, 1_000_000).unwrap();
    assert_eq!(link.until_ms, 1_000_000 + 2 * 86_400_000);
    let rest = link.url.strip_prefix("https://files.example.com/f/").unwrap();
    let (path, query) = rest.split_once('?').unwrap();
    let (secret, name) = path.split_once('/').unwrap();
    assert_eq!(name, "%E6%89%8B%E5%86%8C%201.pdf");
    assert!(query.starts_with("expires=173800&signature="), "{query}");
    assert_eq!(secret.len(), 32);
    let guessed = folder_name(&file.digest);
    assert!(!link.url.contains(&guessed), "whoever has the file could find it");
    assert_eq!(depot.link(&file, 1_000_000).unwrap(), link);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_under_many_names_takes_room_once() {
    use std::os::unix::fs::MetadataExt as _;

    let folder = TempDir::new().unwrap();
    let depot = depot(folder.path(), FOLDER, Access::Full).unwrap();
    let names = ["for Anna.pdf", "for Bo.pdf", "for Cy.pdf"];
    let files = names.map(|name| big(folder.path(), name, b"content"));
    assert_eq!(depot.put(&files, NOW_MS).await.unwrap(), (3, Octets(21)));
    let folders = std::fs::read_dir(folder.path().join("www")).unwrap().flatten();
    let stored = folders.flat_map(|folder| std::fs::read_dir(folder.path()).unwrap().flatten());
    let links: Vec<u64> = stored.map(|file| file.metadata().unwrap().nlink()).collect();
    assert_eq!(links, [3, 3, 3]);
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_copied_is_not_put_there() {
    let folder = TempDir::new().unwrap();
    let depot = depot(folder.path(), FOLDER, Access::Full).unwrap();
    let file = big(folder.path(), "a.pdf", b"content");
    std::fs::write(&file.path, b"CONTENT").unwrap();
    let error = depot.put(&[file], 0).await.unwrap_err();
    assert!(error.to_string().contains("changed while it was read"), "{error}");
    assert!(
        in_depot(folder.path()).is_empty(),
        "{:?}",
        in_depot(folder.path())
    );
}

#[tokio::test]
async fn what_no_link_leads_to_any_longer_is_removed() {
    let folder = TempDir::new().unwrap();
    let depot = depot(folder.path(), FOLDER, Access::Full).unwrap();
    let [old, new] = [("old.pdf", b"old"), ("new.pdf", b"new")].map(|(name, content)| {
        let file = big(folder.path(), name, content);
        let source = folder.path().join(format!("source-{name}"));
        std::fs::rename(&file.path, &source).unwrap();
        BigFile { path: source, ..file }
    });
    depot.put(&[old.clone(), new.clone()], NOW_MS).await.unwrap();
    std::fs::create_dir_all(folder.path().join("www/index")).unwrap();
    std::fs::write(folder.path().join("www/index/page.html"), "mine").unwrap();
    assert_eq!(depot.sweep(&[old], NOW_MS + DAY_MS).unwrap(), 0);
    assert_eq!(depot.sweep(&[], NOW_MS + 5 * DAY_MS / 2).unwrap(), 1);
    assert_eq!(depot.sweep(&[], NOW_MS + 4 * DAY_MS).unwrap(), 1);
    assert_eq!(in_depot(folder.path()), ["page.html"], "what is not ours stays");
}

#[test]
fn settings_that_cannot_work_are_told_where_they_stand() {
    let folder = TempDir::new().unwrap();
    for (files, said) in [
        ("", "neither a `folder` nor a `bucket`"),
        ("folder = \"www\"\n", "a `folder` without its address in the web"),
        (
            "folder = \"www\"\nurl = \"files.example.com\"\n",
            "is no address in the web",
        ),
        (
            "folder = \"www\"\nurl = \"https://f.example\"\nbucket = \"my-bucket\"\n",
            "a `bucket` besides a `folder`",
        ),
        ("bucket = \"my-bucket\"\n", "a bucket without the key to it"),
        (
            "bucket = \"My_Bucket\"\naccess_key = \"a\"\nsecret_env = \"S\"\n",
            "is no bucket's name",
        ),
        (
            "bucket = \"my-bucket\"\naccess_key = \"a\"\nsecret_env = \"S\"\nexpire = \"30d\"\n",
            "signed links of a bucket last 7d at most, not 30d",
        ),
        (
            "folder = \"www\"\nurl = \"https://f.example\"\nexpire = \"5m\"\n",
            "dead before the mail is read",
        ),
    ] {
        let text = format!("{WORKSPACE}[files]\n{files}");
        std::fs::write(folder.path().join("mailshot.toml"), text).unwrap();
        let problems = Workspace::load(folder.path()).unwrap_err();
        let found = &problems.kept[0];
        assert!(found.what.to_string().contains(said), "{files}: {}", found.what);
        assert!(found.line >= 8, "{files}: {found:?}");
    }
}
