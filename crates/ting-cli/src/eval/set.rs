//! Speech sets: a tab-separated table of utterances and a tar of their recordings.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::error::CliError;

/// Which part of a set is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Split {
    /// What models are tested on.
    Dev,
    /// What models were trained on.
    Train,
    /// Both.
    All,
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Utterance {
    /// The recording's file name without its ending.
    pub(crate) id: String,
    /// `train` or `dev`.
    pub(crate) split: String,
    /// What is said, as published.
    pub(crate) text: String,
    /// What the field of [`Set::open`]'s `by` has.
    pub(crate) group: Option<String>,
}

/// A table and its recordings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Set {
    /// The table's file name without its ending, such as `zh-read`.
    pub(crate) name: String,
    /// The tar.
    pub(crate) archive: PathBuf,
    /// The rows to be evaluated, in the table's order.
    pub(crate) utterances: Vec<Utterance>,
}

impl Set {
    /// Reads the table `table` for the recordings in `archive`, and takes the rows of `split`; with a `limit` that many
    /// of them, spread evenly over the table, so that a few still hear many speakers. `by` is a field that groups them.
    pub(crate) fn open(
        table: &Path,
        archive: &Path,
        split: Split,
        limit: Option<usize>,
        by: Option<&str>,
    ) -> Result<Self, CliError> {
        let path = table.display().to_string();
        let bytes = std::fs::read(table)
            .map_err(|error| CliError::input(format!("{path}: cannot be read: {error}")))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| CliError::input(format!("{path}: is not a table in UTF-8")))?;
        let mut utterances =
            parse(&text, by).map_err(|what| CliError::input(format!("{path}:{what}")))?;
        utterances.retain(|utterance| match split {
            Split::Dev => utterance.split == "dev",
            Split::Train => utterance.split == "train",
            Split::All => true,
        });
        if let Some(limit) = limit.filter(|limit| *limit < utterances.len()) {
            let every = utterances.len() as f64 / limit as f64;
            utterances = (0..limit)
                .map(|i| utterances[(i as f64 * every) as usize].clone())
                .collect();
        }
        let name = table
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(Self {
            name,
            archive: archive.to_owned(),
            utterances,
        })
    }

    /// Gives the recordings of the set's utterances to `on_recording`, in the archive's order: the utterance's index,
    /// and the file's bytes. Files of no row are passed over.
    ///
    /// Returns the indices of utterances without a recording. An error of `on_recording` ends the reading.
    pub(crate) fn read_archive(
        &self,
        on_recording: &mut dyn FnMut(usize, Vec<u8>) -> Result<(), CliError>,
    ) -> Result<Vec<usize>, CliError> {
        let path = self.archive.display();
        let unreadable =
            |error: std::io::Error| CliError::input(format!("{path}: cannot be read: {error}"));
        let mut missing: BTreeMap<&str, usize> = self
            .utterances
            .iter()
            .enumerate()
            .map(|(i, row)| (row.id.as_str(), i))
            .collect();
        let file = File::open(&self.archive).map_err(unreadable)?;
        let mut archive = tar::Archive::new(BufReader::new(file));
        for entry in archive.entries().map_err(unreadable)? {
            let mut entry = entry.map_err(unreadable)?;
            let name = entry.path().map_err(unreadable)?.into_owned();
            let stem = name.file_stem().unwrap_or_default().to_string_lossy();
            // Some tables have the ending in the id.
            let full = name.file_name().unwrap_or_default().to_string_lossy();
            let found = missing
                .remove(stem.as_ref())
                .or_else(|| missing.remove(full.as_ref()));
            let Some(index) = found else { continue };
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(unreadable)?;
            on_recording(index, bytes)?;
        }
        Ok(missing.into_values().collect())
    }
}

/// Reads a table: a header line, then a row a line, fields between tabs, no quoting. The fields `id`, `split` and
/// `text`, and `by` if it is given, must be there, in any order, beside any others.
///
/// The error begins with the line's number.
fn parse(table: &str, by: Option<&str>) -> Result<Vec<Utterance>, String> {
    let table = table.strip_prefix('\u{feff}').unwrap_or(table);
    let mut lines = table.lines().enumerate();
    let (_, header) = lines
        .next()
        .ok_or("1: the table is empty; expected a header line")?;
    let header: Vec<&str> = header.split('\t').collect();
    let column = |name: &str| {
        header
            .iter()
            .position(|field| *field == name)
            .ok_or_else(|| {
                format!(
                    "1: there is no field `{name}` in the header, which has: {}",
                    header.join(", ")
                )
            })
    };
    let (id, split, text) = (column("id")?, column("split")?, column("text")?);
    let group = by.map(column).transpose()?;

    let mut utterances = Vec::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, line) in lines {
        let number = index + 1;
        if line.is_empty() {
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        if fields.len() < header.len() {
            let missing = header[fields.len()];
            let (wanted, got) = (header.len(), fields.len());
            return Err(format!(
                "{number}: field `{missing}` is missing: {got} fields, {wanted} expected"
            ));
        }
        if fields.len() > header.len() {
            let (wanted, got) = (header.len(), fields.len());
            let extra = fields[wanted];
            return Err(format!(
                "{number}: {got} fields, {wanted} expected; {extra:?} is too much (is there a tab in field `text`?)"
            ));
        }
        if fields[id].is_empty() {
            return Err(format!("{number}: field `id` is empty"));
        }
        if !matches!(fields[split], "train" | "dev") {
            return Err(format!(
                "{number}: field `split` is {:?}; it must be train or dev",
                fields[split]
            ));
        }
        if let Some(first) = seen.insert(fields[id], number) {
            return Err(format!(
                "{number}: field `id` is {:?}, as in line {first} already",
                fields[id]
            ));
        }
        utterances.push(Utterance {
            id: fields[id].to_owned(),
            split: fields[split].to_owned(),
            text: fields[text].to_owned(),
            group: group.map(|group| fields[group].to_owned()),
        });
    }
    Ok(utterances)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Set, Split, parse};

    #[test]
    fn tables_and_broken_tables() {
        /// A table, and the (id, text) of its rows or the beginning of the error.
        type Case = (
            &'static str,
            Result<&'static [(&'static str, &'static str)], &'static str>,
        );
        let cases: [Case; 13] = [
            (
                "id\tsplit\ttext\na\tdev\thello\nb\ttrain\tyou\n",
                Ok(&[("a", "hello"), ("b", "you")]),
            ),
            ("text\tid\tsplit\nhello\ta\tdev", Ok(&[("a", "hello")])),
            (
                "\u{feff}id\tsplit\ttext\r\na\tdev\thello\r\n",
                Ok(&[("a", "hello")]),
            ),
            (
                "id\tsplit\ttext\na\tdev\t\"as is\"\n\n",
                Ok(&[("a", "\"as is\"")]),
            ),
            ("id\tsplit\ttext\na\tdev\t\n", Ok(&[("a", "")])),
            ("id\tsplit\ttext\n", Ok(&[])),
            ("", Err("1: the table is empty")),
            ("id\ttext\n", Err("1: there is no field `split`")),
            (
                "id\tsplit\ttext\na\tdev\tx\nb\tdev\n",
                Err("3: field `text` is missing"),
            ),
            (
                "id\tsplit\ttext\na\tdev\tx\ty\n",
                Err("2: 4 fields, 3 expected; \"y\" is too much"),
            ),
            ("id\tsplit\ttext\n\tdev\tx\n", Err("2: field `id` is empty")),
            (
                "id\tsplit\ttext\na\ttest\tx\n",
                Err("2: field `split` is \"test\""),
            ),
            (
                "id\tsplit\ttext\na\tdev\tx\na\tdev\tx\n",
                Err("3: field `id` is \"a\", as in line 2"),
            ),
        ];
        let mut failed = Vec::new();
        for (table, expected) in cases {
            let got = parse(table, None);
            let right = match (&got, expected) {
                (Ok(rows), Ok(expected)) => rows
                    .iter()
                    .map(|row| (row.id.as_str(), row.text.as_str()))
                    .eq(expected.iter().copied()),
                (Err(error), Err(part)) => error.starts_with(part),
                _ => false,
            };
            if !right {
                failed.push((table, got, expected));
            }
        }
        assert!(failed.is_empty(), "{failed:#?}");

        let table = "id\tsplit\ttext\tspeaker\na\tdev\thello\tanna\n";
        let groups = |by| parse(table, by).map(|rows| rows[0].group.clone());
        assert_eq!(groups(None), Ok(None));
        assert_eq!(groups(Some("speaker")), Ok(Some("anna".to_owned())));
        let error = groups(Some("room")).unwrap_err();
        assert!(error.starts_with("1: there is no field `room`"), "{error}");
    }

    #[test]
    fn splits_limits_and_archives() {
        let dir = tempfile::tempdir().unwrap();
        let table = dir.path().join("en-test.tsv");
        let archive = dir.path().join("en-test.tar");
        let rows: String = (0..10)
            .map(|i| format!("u{i}\t{}\ttext {i}\n", if i < 6 { "train" } else { "dev" }))
            .collect();
        std::fs::write(&table, format!("id\tsplit\ttext\n{rows}")).unwrap();
        let mut tar = tar::Builder::new(std::fs::File::create(&archive).unwrap());
        for name in ["u9.opus", "sub/u8.wav", "unknown.opus", "u7.opus"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(name.len() as u64);
            tar.append_data(&mut header, name, name.as_bytes()).unwrap();
        }
        tar.finish().unwrap();

        let open = |split, limit| Set::open(&table, &archive, split, limit, None).unwrap();
        let ids = |set: &Set| {
            set.utterances
                .iter()
                .map(|u| u.id.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(&open(Split::Train, None)).len(), 6);
        assert_eq!(
            ids(&open(Split::All, Some(5))),
            ["u0", "u2", "u4", "u6", "u8"]
        );
        assert_eq!(ids(&open(Split::All, Some(50))).len(), 10);
        let set = open(Split::Dev, None);
        assert_eq!((set.name.as_str(), ids(&set).len()), ("en-test", 4));

        let mut read = Vec::new();
        let missing = set
            .read_archive(&mut |index, bytes| {
                read.push((index, String::from_utf8(bytes).unwrap()));
                Ok(())
            })
            .unwrap();
        let expected = [(3, "u9.opus"), (2, "sub/u8.wav"), (1, "u7.opus")];
        assert_eq!(read, expected.map(|(i, name)| (i, name.to_owned())));
        assert_eq!(missing, [0]);

        let missing = Path::new("/no/such.tsv");
        let error = Set::open(missing, &archive, Split::All, None, None).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("/no/such.tsv: cannot be read"),
            "{error}"
        );
    }
}
