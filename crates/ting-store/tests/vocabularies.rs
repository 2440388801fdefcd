//! Hotword lists: what is kept, whose it is, and what becomes of it.

// A helper that fails fails its test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use ting_store::{Account, NewVocabulary, Page, Store, StoreErrorKind, Vocabulary, Word};

const QUOTA: u32 = 10;
const ALL: Page = Page {
    index: 0,
    size: 100,
};

fn word(text: &str, weight: u8, lang: Option<&str>) -> Word {
    Word {
        text: text.to_owned(),
        weight,
        lang: lang.map(str::to_owned),
    }
}

fn new(prefix: &str, words: &[Word]) -> NewVocabulary {
    NewVocabulary {
        prefix: prefix.to_owned(),
        target_model: "fun-asr-realtime".to_owned(),
        words: words.to_vec(),
    }
}

fn key(key: &str) -> Account {
    Account::Key(key.to_owned())
}

fn ids(store: &Store, account: &Account, prefix: Option<&str>, page: Page) -> Vec<String> {
    let found = store.vocabularies(account, prefix, page).unwrap();
    found.into_iter().map(|info| info.id).collect()
}

fn words(store: &Store, account: &Account, id: &str) -> Option<Vec<Word>> {
    let found = store.vocabulary(account, id).unwrap();
    found.map(|vocabulary| vocabulary.words)
}

#[test]
fn what_is_made_is_found_changed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let account = Account::Everyone;
    let first = [
        word("赛德克巴莱", 4, Some("zh")),
        word("O'Neil; DROP TABLE vocabulary; --", 1, None),
        word("吴贻弓", 50, None),
    ];
    let id = store
        .create_vocabulary(&account, &new("testpfx", &first), QUOTA, 100)
        .unwrap();
    let digits = id.strip_prefix("vocab-testpfx-").unwrap();
    assert_eq!(digits.len(), 32, "{id}");
    assert!(
        digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
        "{id}"
    );

    let Vocabulary { info, words } = store.vocabulary(&account, &id).unwrap().unwrap();
    assert_eq!(words, first);
    assert_eq!(
        (
            info.id.as_str(),
            info.target_model.as_str(),
            info.created_s,
            info.modified_s
        ),
        (id.as_str(), "fun-asr-realtime", 100, 100)
    );
    assert_eq!(store.vocabularies(&account, None, ALL).unwrap(), [info]);

    let second = [word("b", 2, None), word("a", 1, None)];
    assert!(store.replace_words(&account, &id, &second, 200).unwrap());
    // The file is all there is: another store of it knows the same.
    let again = Store::new(folder.path());
    let Vocabulary { info, words } = again.vocabulary(&account, &id).unwrap().unwrap();
    assert_eq!(
        (words.as_slice(), info.created_s, info.modified_s),
        (&second[..], 100, 200)
    );

    assert!(again.delete_vocabulary(&account, &id).unwrap());
    assert!(!store.delete_vocabulary(&account, &id).unwrap());
    assert_eq!(store.vocabulary(&account, &id).unwrap(), None);
    assert!(!store.replace_words(&account, &id, &second, 300).unwrap());
    assert!(ids(&store, &account, None, ALL).is_empty());
}

#[test]
fn lists_come_in_pages_in_the_order_they_were_made() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let account = key("k");
    let made: Vec<String> = ["a", "b", "ab", "a", "a"]
        .iter()
        // All in one second: it is not the time that orders them.
        .map(|prefix| {
            store
                .create_vocabulary(&account, &new(prefix, &[word("x", 1, None)]), QUOTA, 5)
                .unwrap()
        })
        .collect();
    struct Case {
        prefix: Option<&'static str>,
        page: (u32, u32),
        want: &'static [usize],
    }
    let case = |prefix, page, want| Case { prefix, page, want };
    let cases = [
        case(None, (0, 10), &[0, 1, 2, 3, 4]),
        case(None, (0, 2), &[0, 1]),
        case(None, (1, 2), &[2, 3]),
        case(None, (2, 2), &[4]),
        case(None, (3, 2), &[]),
        case(None, (u32::MAX, u32::MAX), &[]),
        case(Some("a"), (0, 10), &[0, 3, 4]),
        case(Some("a"), (1, 2), &[4]),
        case(Some("ab"), (0, 10), &[2]),
        case(Some("%"), (0, 10), &[]),
    ];
    let mut failures = Vec::new();
    for Case { prefix, page, want } in cases {
        let (index, size) = page;
        let got = ids(&store, &account, prefix, Page { index, size });
        let want: Vec<String> = want.iter().map(|&n| made[n].clone()).collect();
        if got != want {
            failures.push(format!("{prefix:?} {page:?}: got {got:?}, want {want:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn accounts_do_not_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let accounts = [Account::Everyone, key("sk-one"), key("sk-two")];
    let made: Vec<String> = accounts
        .iter()
        .map(|account| {
            let new = new("p", &[word("mine", 1, None)]);
            store.create_vocabulary(account, &new, 1, 1).unwrap()
        })
        .collect();
    for (n, account) in accounts.iter().enumerate() {
        assert_eq!(ids(&store, account, None, ALL), [made[n].clone()]);
        for (other, id) in made.iter().enumerate().filter(|(other, _)| *other != n) {
            let what = format!("{n} {other}");
            assert_eq!(words(&store, account, id), None, "{what}");
            assert!(!store.replace_words(account, id, &[], 9).unwrap(), "{what}");
            assert!(!store.delete_vocabulary(account, id).unwrap(), "{what}");
            assert_eq!(
                words(&store, &accounts[other], id).unwrap().len(),
                1,
                "{what}"
            );
        }
    }
}

#[test]
fn an_account_has_as_many_lists_as_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let new = new("p", &[word("x", 1, None)]);
    let mut made = Vec::new();
    for _ in 0..QUOTA {
        made.push(store.create_vocabulary(&key("a"), &new, QUOTA, 1).unwrap());
    }
    let error = store
        .create_vocabulary(&key("a"), &new, QUOTA, 1)
        .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Quota, "{error}");
    assert_eq!(ids(&store, &key("a"), None, ALL), made);
    // Others are not held up by it, and a deleted list makes room.
    store.create_vocabulary(&key("b"), &new, QUOTA, 1).unwrap();
    assert!(store.delete_vocabulary(&key("a"), &made[3]).unwrap());
    let last = store.create_vocabulary(&key("a"), &new, QUOTA, 1).unwrap();
    assert_eq!(ids(&store, &key("a"), None, ALL).last(), Some(&last));
}

#[test]
fn keys_are_not_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let secret = "sk-0123456789abcdef";
    let new = new("p", &[word("looked for", 1, None)]);
    store
        .create_vocabulary(&key(secret), &new, QUOTA, 1)
        .unwrap();
    let has = |wanted: &str| {
        std::fs::read_dir(folder.path()).unwrap().any(|entry| {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            bytes
                .windows(wanted.len())
                .any(|window| window == wanted.as_bytes())
        })
    };
    // Words are, so the search finds what there is.
    assert!(has("looked for"));
    assert!(!has(secret));
}
