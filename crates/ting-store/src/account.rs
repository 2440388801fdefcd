//! Whose something is.

use std::fmt;

use sha2::{Digest, Sha256};

/// Who owns what is kept.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Account {
    /// The one account of a server that lets everyone in.
    Everyone,
    /// The account of an API key.
    Key(String),
}

/// Set before what is hashed, so that the same bytes hashed for another purpose give another hash.
const PURPOSE: &[u8] = b"ting account";

impl Account {
    /// What stands for the account in a file whose salt is `salt`: a hash, from which the key cannot be had without trying all
    /// keys, and which is another in every file.
    pub(crate) fn hash(&self, salt: &[u8]) -> [u8; 32] {
        let hash = Sha256::new()
            .chain_update(PURPOSE)
            .chain_update((salt.len() as u64).to_le_bytes())
            .chain_update(salt);
        match self {
            Self::Everyone => hash.chain_update([0]),
            Self::Key(key) => hash.chain_update([1]).chain_update(key),
        }
        .finalize()
        .into()
    }
}

/// Does not tell the key.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Everyone => "Everyone",
            Self::Key(_) => "Key(..)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Account;

    #[test]
    fn accounts_and_files_have_hashes_of_their_own() {
        let key = |key: &str| Account::Key(key.to_owned());
        let accounts = [Account::Everyone, key(""), key("a"), key("b"), key("ab")];
        let mut hashes: Vec<_> = [b"salt".as_slice(), b"salt a", b""]
            .iter()
            .flat_map(|salt| accounts.iter().map(|account| account.hash(salt)))
            .collect();
        let all = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), all);
        assert_eq!(key("a").hash(b"s"), key("a").hash(b"s"));
        assert!(!format!("{:?}", key("sk-secret")).contains("secret"));
    }
}
