//! What a client gets about hotword lists.

use serde::{Deserialize, Serialize};

use super::VocabularyWord;

/// The output of `create_vocabulary`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedVocabulary {
    /// The id of the new list.
    pub vocabulary_id: String,
}

/// The output of `list_vocabulary`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VocabularyList {
    /// The lists of the page.
    pub vocabulary_list: Vec<VocabularyEntry>,
}

/// A list among others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VocabularyEntry {
    /// The list's id.
    pub vocabulary_id: String,
    /// When it was made, as [`beijing_time`] writes it.
    pub gmt_create: String,
    /// When it was made or last updated.
    pub gmt_modified: String,
    /// Whether it can be used.
    pub status: VocabularyStatus,
}

/// The output of `query_vocabulary`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VocabularyDetails {
    /// When it was made, as [`beijing_time`] writes it.
    pub gmt_create: String,
    /// When it was made or last updated.
    pub gmt_modified: String,
    /// Whether it can be used.
    pub status: VocabularyStatus,
    /// The model it was made for.
    pub target_model: String,
    /// Its words, in the order in which they were given.
    pub vocabulary: Vec<VocabularyWord>,
}

/// The output of `update_vocabulary` and `delete_vocabulary`: an object without keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nothing {}

/// Whether a list can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum VocabularyStatus {
    /// It can.
    Ok,
    /// It cannot yet.
    Undeployed,
}

/// The time `unix_s` (seconds since 1970-01-01 UTC) as the service writes times, in Beijing: `2026-03-02 18:07:38`.
///
/// Years after 9999 have more digits. Beijing has had UTC+8 all year since 1991.
pub fn beijing_time(unix_s: i64) -> String {
    const DAY_S: i64 = 86_400;
    // Held within what has a date: i64 seconds reach further than any calendar.
    let local = unix_s.clamp(-DAY_S * 719_000, i64::from(u32::MAX) * DAY_S) + 8 * 3600;
    let (days, second) = (local.div_euclid(DAY_S), local.rem_euclid(DAY_S));
    // Days since 0000-03-01, so that the leap day is the last of its year. Of 400 years, 97 have one.
    let day = days + 719_468;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months from March have 31, 30, 31, 30, 31 days, and again.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = match month {
        0..=9 => (400 * era + year, month + 3),
        _ => (400 * era + year + 1, month - 9),
    };
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}
