//! The tables, and how files of older versions come to have them.

use rusqlite::{Connection, TransactionBehavior};

/// `PRAGMA application_id` of the files: "Ting" in ASCII. It tells them from other programs' SQLite files.
pub(crate) const APPLICATION_ID: i32 = 0x5469_6e67;

/// What makes version `n + 1` of a file of version `n`. Files of every version are out there: entries are added at the end, and
/// never changed.
pub(crate) const MIGRATIONS: &[&str] = &[
    // 1: hotword lists. `number` is the order of creation; times are Unix seconds.
    "CREATE TABLE salt (value BLOB NOT NULL) STRICT;
     INSERT INTO salt (value) VALUES (randomblob(32));
     CREATE TABLE vocabulary (
         number INTEGER PRIMARY KEY,
         id TEXT NOT NULL UNIQUE,
         owner BLOB NOT NULL,
         prefix TEXT NOT NULL,
         target_model TEXT NOT NULL,
         created INTEGER NOT NULL,
         modified INTEGER NOT NULL
     ) STRICT;
     CREATE INDEX vocabulary_by_owner ON vocabulary (owner, number);
     CREATE TABLE vocabulary_word (
         vocabulary INTEGER NOT NULL REFERENCES vocabulary (number) ON DELETE CASCADE,
         place INTEGER NOT NULL,
         text TEXT NOT NULL,
         weight INTEGER NOT NULL,
         lang TEXT,
         PRIMARY KEY (vocabulary, place)
     ) STRICT, WITHOUT ROWID;",
];

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Schema {
    /// It has all tables now.
    Ready,
    /// Its version, which is newer than this program's.
    TooNew(u32),
    /// It has tables of another program.
    Foreign,
}

/// Brings the file behind `connection` to the version `migrations.len()`, in one transaction.
pub(crate) fn migrate(
    connection: &mut Connection,
    migrations: &[&str],
) -> rusqlite::Result<Schema> {
    // There are never 2^32 of them.
    let newest = migrations.len() as u32;
    // Usually there is nothing to do, and no need to wait for the right to write. All of one instant: what another process is
    // just making must not look like tables without their mark.
    let reading = connection.transaction()?;
    if let Some(schema) = look(&reading, newest)? {
        return Ok(schema);
    }
    drop(reading);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    if let Some(schema) = look(&transaction, newest)? {
        return Ok(schema);
    }
    for migration in migrations.iter().skip(version(&transaction)? as usize) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", newest)?;
    transaction.commit()?;
    Ok(Schema::Ready)
}

/// What the file is; `None` when it is empty or of an older version.
fn look(connection: &Connection, newest: u32) -> rusqlite::Result<Option<Schema>> {
    let version = version(connection)?;
    let application: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_master", (), |row| row.get(0))?;
    Ok(match (application, tables) {
        (0, 0) if version == 0 => None,
        (APPLICATION_ID, _) if version == newest => Some(Schema::Ready),
        (APPLICATION_ID, _) if version > newest => Some(Schema::TooNew(version)),
        (APPLICATION_ID, _) => None,
        _ => Some(Schema::Foreign),
    })
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::{MIGRATIONS, Schema, migrate};
    use rusqlite::Connection;

    #[test]
    fn files_of_every_version_become_the_newest() {
        let steps = [
            "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);",
            "ALTER TABLE a ADD COLUMN y INTEGER DEFAULT 2;",
            "CREATE TABLE b AS SELECT x + y AS z FROM a;",
        ];
        for from in 0..=steps.len() {
            let mut connection = Connection::open_in_memory().unwrap();
            for version in 0..=from {
                let schema = migrate(&mut connection, &steps[..version]).unwrap();
                assert_eq!(schema, Schema::Ready, "{version}");
            }
            assert_eq!(migrate(&mut connection, &steps).unwrap(), Schema::Ready);
            let sum: i64 = connection
                .query_row("SELECT z FROM b", (), |row| row.get(0))
                .unwrap();
            assert_eq!(sum, 3, "from version {from}");
            // A version back, the file is one of the future.
            let schema = migrate(&mut connection, &steps[..2]).unwrap();
            assert_eq!(schema, Schema::TooNew(3));
        }
    }

    #[test]
    fn a_migration_that_fails_leaves_the_file_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &["CREATE TABLE a (x)"]).unwrap();
        let broken = ["CREATE TABLE a (x)", "CREATE TABLE b (x)", "nonsense"];
        migrate(&mut connection, &broken).unwrap_err();
        let tables = |connection: &Connection| -> i64 {
            connection
                .query_row("SELECT count(*) FROM sqlite_master", (), |row| row.get(0))
                .unwrap()
        };
        assert_eq!(tables(&connection), 1);
        migrate(&mut connection, &broken[..2]).unwrap();
        assert_eq!(tables(&connection), 2);
    }

    #[test]
    fn files_of_other_programs_are_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
        assert_eq!(
            migrate(&mut connection, MIGRATIONS).unwrap(),
            Schema::Foreign
        );
        let mut connection = Connection::open_in_memory().unwrap();
        connection
            .pragma_update(None, "application_id", 12345)
            .unwrap();
        assert_eq!(
            migrate(&mut connection, MIGRATIONS).unwrap(),
            Schema::Foreign
        );
    }
}
