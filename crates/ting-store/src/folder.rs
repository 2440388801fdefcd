//! Where a user's data is kept.

use std::path::PathBuf;

/// Where the XDG Base Directory Specification puts what a program keeps for its user, from the values of `XDG_DATA_HOME` and
/// `HOME`. It has relative paths ignored. `None` without a home.
pub fn usual_data_dir(xdg_data_home: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    xdg_data_home
        .filter(absolute)
        .or_else(|| Some(home.filter(absolute)?.join(".local/share")))
        .map(|folder| folder.join("ting"))
}

#[cfg(test)]
mod tests {
    use super::usual_data_dir;

    #[test]
    fn data_is_kept_where_the_specification_says() {
        for (xdg, home, want) in [
            (Some("/x"), Some("/h"), Some("/x/ting")),
            (None, Some("/h"), Some("/h/.local/share/ting")),
            (Some(""), Some("/h"), Some("/h/.local/share/ting")),
            (Some("rel"), Some("/h"), Some("/h/.local/share/ting")),
            (None, Some(""), None),
            (None, None, None),
        ] {
            let got = usual_data_dir(xdg.map(Into::into), home.map(Into::into));
            assert_eq!(got, want.map(Into::into), "{xdg:?} {home:?}");
        }
    }
}
