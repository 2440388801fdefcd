//! Files of hotwords.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use ting_engine::{Format, Hotword, Language, Recognizer, TaskOptions};

use crate::error::{CliError, CliErrorKind};
use crate::recognise::Model;

/// The weight of a word whose file names none; that of the service's examples.
const USUAL_WEIGHT: u8 = 4;

/// Reads a file of hotwords, and says on stderr which of them `model` cannot write.
///
/// # Errors
/// `Input`, with the file and the line or the word that is wrong.
pub(crate) fn load(
    path: &Path,
    model: &Model,
    languages: &[Language],
) -> Result<Vec<Hotword>, CliError> {
    let name = path.display();
    let hotwords = read(path)?;
    let mut options = TaskOptions::new(Format::Pcm, 16_000);
    options.languages = languages.to_vec();
    options.hotwords.clone_from(&hotwords);
    let recognizer = Recognizer::new(Arc::clone(&model.shared), options)
        .map_err(|error| wrong(path, error.message()))?;
    for word in recognizer.ineffective_hotwords() {
        eprintln!(
            "ting: {name}: {:?} has no effect: {}",
            word.text, word.reason
        );
    }
    Ok(hotwords)
}

/// Reads a file of hotwords, for a recogniser that is not here.
///
/// # Errors
/// `Input`, with the file and the line or the word that is wrong.
pub(crate) fn read(path: &Path) -> Result<Vec<Hotword>, CliError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| wrong(path, &format!("cannot be read: {error}")))?;
    parse(&text).map_err(|error| wrong(path, &error))
}

fn wrong(path: &Path, what: &str) -> CliError {
    CliError::new(CliErrorKind::Input, format!("{}: {what}", path.display()))
}

/// A word as the service's vocabularies have it.
#[derive(Deserialize)]
struct WireWord {
    text: String,
    #[serde(default = "usual_weight")]
    weight: u8,
    lang: Option<String>,
}

fn usual_weight() -> u8 {
    USUAL_WEIGHT
}

/// Either one word a line, and after it between tabs, if need be, its weight and its language; `#` begins a comment line.
/// Or, if the first character is `[`, a vocabulary of the service: `[{"text": "赛德克巴莱", "weight": 4, "lang": "zh"}]`.
fn parse(text: &str) -> Result<Vec<Hotword>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('[') {
        let words: Vec<WireWord> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let hotword = |(index, word): (usize, WireWord)| {
            let language = word.lang.as_deref().map(parse_language).transpose();
            Ok(Hotword {
                text: word.text,
                weight: word.weight,
                language: language.map_err(|error| format!("word {}: {error}", index + 1))?,
            })
        };
        return words.into_iter().enumerate().map(hotword).collect();
    }
    let lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| parse_line(line).map_err(|error| format!("line {number}: {error}")))
        .collect()
}

fn parse_line(line: &str) -> Result<Hotword, String> {
    let mut fields = line.split('\t').map(str::trim);
    let text = fields.next().unwrap_or_default().to_owned();
    let weight = match fields.next() {
        None | Some("") => USUAL_WEIGHT,
        Some(weight) => weight
            .parse()
            .map_err(|_| format!("the weight is {weight:?}; it must be 1 to 5, or 50"))?,
    };
    let language = fields
        .next()
        .filter(|code| !code.is_empty())
        .map(parse_language)
        .transpose()?;
    match fields.next() {
        Some(more) => Err(format!(
            "{more:?} is too much: a line has a word, its weight and its language"
        )),
        None => Ok(Hotword {
            text,
            weight,
            language,
        }),
    }
}

fn parse_language(code: &str) -> Result<Language, String> {
    Language::from_code(code)
        .ok_or_else(|| format!("the language is {code:?}; it must be zh, en or ja"))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn files_give_words_or_say_what_is_wrong() {
        // The words as `text weight language`.
        let cases: [(&str, Result<&[&str], &str>); 11] = [
            ("", Ok(&[])),
            (
                "吴贻弓\n\n# names\nMarek Kowalski\n",
                Ok(&["吴贻弓 4 None", "Marek Kowalski 4 None"]),
            ),
            (
                "\u{feff}a\t1\nb\t50\ten\r\nc\t\tja",
                Ok(&["a 1 None", "b 50 Some(English)", "c 4 Some(Japanese)"]),
            ),
            ("a\tx", Err("line 1: the weight is \"x\"")),
            ("a\t-1", Err("line 1: the weight is \"-1\"")),
            (
                "\na\t1\tfr",
                Err("line 2: the language is \"fr\"; it must be zh, en or ja"),
            ),
            ("a\t1\ten\tb", Err("line 1: \"b\" is too much")),
            ("[]", Ok(&[])),
            (
                r#"[{"text": "赛德克巴莱", "weight": 5, "lang": "zh"}, {"text": "x"}]"#,
                Ok(&["赛德克巴莱 5 Some(Chinese)", "x 4 None"]),
            ),
            (
                r#"[{"text": "x", "lang": "xx"}]"#,
                Err("word 1: the language is \"xx\""),
            ),
            (r#"[{"weight": 1}]"#, Err("missing field `text`")),
        ];
        let mut failed = Vec::new();
        for (file, want) in cases {
            let got = parse(file);
            let right = match (&got, want) {
                (Ok(words), Ok(want)) => words
                    .iter()
                    .map(|word| format!("{} {} {:?}", word.text, word.weight, word.language))
                    .eq(want.iter().copied()),
                (Err(error), Err(part)) => error.starts_with(part),
                _ => false,
            };
            if !right {
                failed.push(format!("{file:?}: got {got:?}, want {want:?}"));
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }
}
