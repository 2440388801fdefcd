//! Which language an utterance is scored as.

use super::normalize::{is_han, is_kana};

/// A language that error rates are reported for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum, serde::Serialize,
)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ScoredLanguage {
    /// Mandarin Chinese.
    Zh,
    /// Cantonese.
    Yue,
    /// English, and everything else that writes spaces.
    En,
    /// Japanese.
    Ja,
}

impl ScoredLanguage {
    /// The short name, as in the names of sets.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::Yue => "yue",
            Self::En => "en",
            Self::Ja => "ja",
        }
    }

    /// The language a set's name begins with: `ja-words` is Japanese, `noise` none.
    pub(crate) fn from_set_name(name: &str) -> Option<Self> {
        let prefix = name.split(['-', '_', '.']).next()?;
        [Self::Zh, Self::Yue, Self::En, Self::Ja]
            .into_iter()
            .find(|l| l.name() == prefix)
    }

    /// The language of a reference by its script: any kana makes it Japanese, else any Han character Mandarin
    /// (Cantonese writes the same script, so only its set's name tells it), else English.
    pub(crate) fn from_script(text: &str) -> Self {
        if text.chars().any(is_kana) {
            Self::Ja
        } else if text.chars().any(is_han) {
            Self::Zh
        } else {
            Self::En
        }
    }

    /// Whether its main rate counts words (WER) rather than characters (CER).
    pub(crate) fn counts_words(self) -> bool {
        self == Self::En
    }
}

#[cfg(test)]
mod tests {
    use super::ScoredLanguage::{self, En, Ja, Yue, Zh};

    #[test]
    fn by_script() {
        let cases = [
            ("", En),
            ("Hello", En),
            ("你好", Zh),
            ("我用 Python", Zh),
            ("東京へ", Ja),
            ("カタカナ", Ja),
            ("12", En),
        ];
        let failed: Vec<_> = cases
            .iter()
            .filter(|(text, l)| ScoredLanguage::from_script(text) != *l)
            .collect();
        assert!(failed.is_empty(), "{failed:?}");
    }

    #[test]
    fn by_name_of_the_set() {
        let cases = [
            ("zh-read2", Some(Zh)),
            ("yue-read", Some(Yue)),
            ("en", Some(En)),
            ("ja_words", Some(Ja)),
            ("noise", None),
            ("zhongwen", None),
            ("", None),
        ];
        let failed: Vec<_> = cases
            .iter()
            .filter(|(name, l)| ScoredLanguage::from_set_name(name) != *l)
            .collect();
        assert!(failed.is_empty(), "{failed:?}");
    }
}
