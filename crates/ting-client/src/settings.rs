//! What is set outside the program: endpoints, the API key, the proxy.

use std::path::PathBuf;

/// The endpoint of the hosted service (international site), which is used where nothing else is set.
pub const DEFAULT_WEBSOCKET_URL: &str = "wss://dashscope-intl.aliyuncs.com/api-ws/v1/inference";

/// The base of the hosted service's HTTP requests (international site).
pub const DEFAULT_HTTP_URL: &str = "https://dashscope-intl.aliyuncs.com/api/v1";

/// What the environment says, by the names that the official SDKs read.
///
/// An option that is given in the program comes before all of it.
///
/// ```
/// let settings = ting_client::Settings::from_env();
/// println!("{}", settings.websocket_url.as_deref().unwrap_or(ting_client::DEFAULT_WEBSOCKET_URL));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// `DASHSCOPE_WEBSOCKET_BASE_URL`.
    pub websocket_url: Option<String>,
    /// `DASHSCOPE_HTTP_BASE_URL`.
    pub http_url: Option<String>,
    /// `DASHSCOPE_API_KEY`, else what is in the file `DASHSCOPE_API_KEY_FILE_PATH`, else in `~/.dashscope/api_key`.
    pub api_key: Option<String>,
}

impl Settings {
    /// Reads the environment of the process, and the file of the key.
    pub fn from_env() -> Self {
        Self::from(|name| std::env::var(name).ok())
    }

    fn from(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| {
            let value = variable(name)?.trim().to_owned();
            Some(value).filter(|value| !value.is_empty())
        };
        let in_home = || {
            let home = set("HOME").or_else(|| set("USERPROFILE"))?;
            Some(PathBuf::from(home).join(".dashscope").join("api_key"))
        };
        let in_file = || {
            let path = set("DASHSCOPE_API_KEY_FILE_PATH").map(PathBuf::from);
            let key = std::fs::read_to_string(path.or_else(in_home)?).ok()?;
            Some(key.trim().to_owned()).filter(|key| !key.is_empty())
        };
        Self {
            websocket_url: set("DASHSCOPE_WEBSOCKET_BASE_URL"),
            http_url: set("DASHSCOPE_HTTP_BASE_URL"),
            api_key: set("DASHSCOPE_API_KEY").or_else(in_file),
        }
    }
}

/// The key is no reading matter for logs.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("websocket_url", &self.websocket_url)
            .field("http_url", &self.http_url)
            .field("api_key", &self.api_key.as_ref().map(|_| "…"))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn the_key_is_found_where_the_official_sdk_looks() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        std::fs::create_dir_all(home.join(".dashscope")).unwrap();
        std::fs::write(home.join(".dashscope/api_key"), " of-home\n").unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, "of-file\n").unwrap();
        let (home, file) = (home.to_str().unwrap(), file.to_str().unwrap());
        type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);
        let cases: &[Case] = &[
            (&[], None),
            (&[("HOME", home)], Some("of-home")),
            (
                &[("HOME", home), ("DASHSCOPE_API_KEY_FILE_PATH", file)],
                Some("of-file"),
            ),
            (&[("DASHSCOPE_API_KEY_FILE_PATH", "/none")], None),
            (
                &[("HOME", home), ("DASHSCOPE_API_KEY", "of-env")],
                Some("of-env"),
            ),
            (
                &[("HOME", home), ("DASHSCOPE_API_KEY", " ")],
                Some("of-home"),
            ),
        ];
        for (variables, want) in cases {
            let settings = Settings::from(|name| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            });
            assert_eq!(settings.api_key.as_deref(), *want, "{variables:?}");
            assert!(!format!("{settings:?}").contains("of-"));
        }
    }
}
