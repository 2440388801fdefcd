//! Hotword lists.

use rusqlite::{OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use crate::{Account, Store, StoreError, StoreErrorKind};

/// A word of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word as it is to be written.
    pub text: String,
    /// How strongly it is preferred.
    pub weight: u8,
    /// The code of its language, where one was given.
    pub lang: Option<String>,
}

/// A list that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVocabulary {
    /// A part of the list's id, of the user's choice.
    pub prefix: String,
    /// The model it is made for.
    pub target_model: String,
    /// Its words, in order.
    pub words: Vec<Word>,
}

/// What there is to know of a list besides its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VocabularyInfo {
    /// `vocab-PREFIX-` and 32 hexadecimal digits.
    pub id: String,
    /// The model it was made for.
    pub target_model: String,
    /// When it was made, in seconds since 1970-01-01 UTC.
    pub created_s: i64,
    /// When its words were last replaced, or, if they never were, when it was made; the same unit.
    pub modified_s: i64,
}

/// A list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    /// What there is to know besides the words.
    pub info: VocabularyInfo,
    /// Its words, in the order in which they were given.
    pub words: Vec<Word>,
}

/// Some of a longer list: `size` entries after the first `index * size`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Pages before this one.
    pub index: u32,
    /// Entries of a page.
    pub size: u32,
}

impl Store {
    /// Makes a list at the time `now_s` (seconds since 1970-01-01 UTC) and gives its id, of which there never was another.
    ///
    /// # Errors
    /// `Quota` when the account has `quota` lists or more; else as [`Store::check`].
    pub fn create_vocabulary(
        &self,
        account: &Account,
        new: &NewVocabulary,
        quota: u32,
        now_s: i64,
    ) -> Result<String, StoreError> {
        let id = format!("vocab-{}-{}", new.prefix, Uuid::new_v4().simple());
        let made = self.write(|transaction| {
            let owner = owner(transaction, account)?;
            let count: u32 = transaction.query_row(
                "SELECT count(*) FROM vocabulary WHERE owner = ?1",
                [owner],
                |row| row.get(0),
            )?;
            if count >= quota {
                return Ok(false);
            }
            transaction.execute(
                "INSERT INTO vocabulary (id, owner, prefix, target_model, created, modified)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
                params![id, owner, new.prefix, new.target_model, now_s],
            )?;
            insert_words(transaction, transaction.last_insert_rowid(), &new.words)?;
            Ok(true)
        })?;
        if !made {
            let message =
                format!("the account has {quota} hotword lists; delete one to make another");
            return Err(StoreError::new(StoreErrorKind::Quota, message));
        }
        Ok(id)
    }

    /// Lists of the account, in the order in which they were made; with `prefix`, only those made with it.
    ///
    /// # Errors
    /// As [`Store::check`].
    pub fn vocabularies(
        &self,
        account: &Account,
        prefix: Option<&str>,
        page: Page,
    ) -> Result<Vec<VocabularyInfo>, StoreError> {
        let found = self.read(|transaction| {
            let owner = owner(transaction, account)?;
            let mut statement = transaction.prepare(
                "SELECT id, target_model, created, modified FROM vocabulary
                 WHERE owner = ?1 AND (?2 IS NULL OR prefix = ?2)
                 ORDER BY number LIMIT ?3 OFFSET ?4",
            )?;
            let before = i64::from(page.index).saturating_mul(page.size.into());
            statement
                .query_map(params![owner, prefix, page.size, before], info)?
                .collect()
        })?;
        Ok(found.unwrap_or_default())
    }

    /// A list with its words; `None` when the account has none of this id.
    ///
    /// # Errors
    /// As [`Store::check`].
    pub fn vocabulary(
        &self,
        account: &Account,
        id: &str,
    ) -> Result<Option<Vocabulary>, StoreError> {
        let found = self.read(|transaction| {
            let owner = owner(transaction, account)?;
            let found = transaction
                .prepare(
                    "SELECT id, target_model, created, modified, number FROM vocabulary
                     WHERE owner = ?1 AND id = ?2",
                )?
                .query_row(params![owner, id], |row| Ok((info(row)?, row.get(4)?)))
                .optional()?;
            let Some((info, number)) = found else {
                return Ok(None);
            };
            let words = words(transaction, number)?;
            Ok(Some(Vocabulary { info, words }))
        })?;
        Ok(found.flatten())
    }

    /// Puts `words` in the place of those of a list, at the time `now_s`; tells whether the account has a list of this id.
    ///
    /// # Errors
    /// As [`Store::check`].
    pub fn replace_words(
        &self,
        account: &Account,
        id: &str,
        words: &[Word],
        now_s: i64,
    ) -> Result<bool, StoreError> {
        if !self.may_have(account, id)? {
            return Ok(false);
        }
        self.write(|transaction| {
            let owner = owner(transaction, account)?;
            let number: Option<i64> = transaction
                .query_row(
                    "UPDATE vocabulary SET modified = ?3 WHERE owner = ?1 AND id = ?2
                     RETURNING number",
                    params![owner, id, now_s],
                    |row| row.get(0),
                )
                .optional()?;
            let Some(number) = number else {
                return Ok(false);
            };
            transaction.execute(
                "DELETE FROM vocabulary_word WHERE vocabulary = ?1",
                [number],
            )?;
            insert_words(transaction, number, words)?;
            Ok(true)
        })
    }

    /// Deletes a list; tells whether the account had one of this id.
    ///
    /// # Errors
    /// As [`Store::check`].
    pub fn delete_vocabulary(&self, account: &Account, id: &str) -> Result<bool, StoreError> {
        if !self.may_have(account, id)? {
            return Ok(false);
        }
        self.write(|transaction| {
            let owner = owner(transaction, account)?;
            let deleted = transaction.execute(
                "DELETE FROM vocabulary WHERE owner = ?1 AND id = ?2",
                params![owner, id],
            )?;
            Ok(deleted > 0)
        })
    }

    /// Whether the account has the list now, so that what changes nothing makes no file and waits for no other process.
    fn may_have(&self, account: &Account, id: &str) -> Result<bool, StoreError> {
        let found = self.read(|transaction| {
            let owner = owner(transaction, account)?;
            transaction
                .prepare("SELECT 1 FROM vocabulary WHERE owner = ?1 AND id = ?2")?
                .exists(params![owner, id])
        })?;
        Ok(found.unwrap_or(false))
    }
}

/// What stands for `account` in this file.
fn owner(transaction: &Transaction<'_>, account: &Account) -> rusqlite::Result<[u8; 32]> {
    let salt: Vec<u8> = transaction.query_row("SELECT value FROM salt", (), |row| row.get(0))?;
    Ok(account.hash(&salt))
}

fn info(row: &Row<'_>) -> rusqlite::Result<VocabularyInfo> {
    Ok(VocabularyInfo {
        id: row.get(0)?,
        target_model: row.get(1)?,
        created_s: row.get(2)?,
        modified_s: row.get(3)?,
    })
}

fn words(transaction: &Transaction<'_>, number: i64) -> rusqlite::Result<Vec<Word>> {
    let mut statement = transaction.prepare(
        "SELECT text, weight, lang FROM vocabulary_word WHERE vocabulary = ?1 ORDER BY place",
    )?;
    let word = |row: &Row<'_>| {
        Ok(Word {
            text: row.get(0)?,
            weight: row.get(1)?,
            lang: row.get(2)?,
        })
    };
    statement.query_map([number], word)?.collect()
}

fn insert_words(
    transaction: &Transaction<'_>,
    number: i64,
    words: &[Word],
) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare(
        "INSERT INTO vocabulary_word (vocabulary, place, text, weight, lang)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (place, word) in (0_u32..).zip(words) {
        statement.execute(params![number, place, word.text, word.weight, word.lang])?;
    }
    Ok(())
}
