//! Finds links in Markdown files to missing files or headings.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Returns the links of `text` that are neither URLs nor lead to a file below `root` and a heading in it.
pub(crate) fn broken(root: &Path, name: &str, text: &str) -> Vec<String> {
    let folder = root.join(name).parent().unwrap_or(root).to_owned();
    let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(link, _)| link));
    links
        .filter(|link| !link.contains("://"))
        .filter(|link| {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let file = if path.is_empty() { root.join(name) } else { folder.join(path) };
            let leads = heading.is_empty()
                || fs::read_to_string(&file).is_ok_and(|text| headings(&text).contains(heading));
            !file.exists() || !leads
        })
        .map(|link| format!("{name}: {link}"))
        .collect()
}

/// Returns the anchors of a page's headings, as code hosts create them.
fn headings(text: &str) -> BTreeSet<String> {
    let mut code = false;
    let mut anchors = BTreeSet::new();
    for line in text.lines() {
        code ^= line.starts_with("```");
        if let Some(heading) = line.strip_prefix('#').filter(|_| !code) {
            let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            anchors.insert(heading.chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect());
        }
    }
    anchors
}
