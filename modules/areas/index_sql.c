#include "modules/areas/index_sql.h"

/* file.watch: 1 too young to trust its stamp, 2 not understood, 4 another pass phrase might help, 8 not seen,
   16 a key in it was refused.
   certificate.serial is in its shortest form, subject and issuer are name hashes, spki is SHA-256 of the
   public key. key names the files that hold private keys, by their public keys; the keys themselves stay in
   the files. */
const char *const index_schema =
    "CREATE TABLE directory(area INTEGER PRIMARY KEY, path TEXT NOT NULL, stamp TEXT NOT NULL,"
    "  settled INTEGER NOT NULL, scanned_ns INTEGER NOT NULL);"
    "CREATE TABLE file(id INTEGER PRIMARY KEY, area INTEGER NOT NULL, name TEXT NOT NULL, stamp TEXT NOT "
    "NULL,"
    "  watch INTEGER NOT NULL, faults TEXT NOT NULL, UNIQUE(area, name));"
    "CREATE INDEX file_watch ON file(area) WHERE watch <> 0;"
    "CREATE TABLE certificate(id INTEGER PRIMARY KEY, file INTEGER NOT NULL, area INTEGER NOT NULL,"
    "  fingerprint TEXT NOT NULL, serial BLOB NOT NULL, issuer INTEGER NOT NULL, subject INTEGER NOT NULL,"
    "  ski BLOB NOT NULL, spki BLOB NOT NULL, der BLOB NOT NULL, capabilities BLOB NOT NULL);"
    "CREATE INDEX certificate_file ON certificate(file);"
    "CREATE INDEX certificate_fingerprint ON certificate(fingerprint);"
    "CREATE INDEX certificate_area ON certificate(area, fingerprint);"
    "CREATE INDEX certificate_serial ON certificate(serial, issuer);"
    "CREATE INDEX certificate_subject ON certificate(subject);"
    "CREATE INDEX certificate_ski ON certificate(ski);"
    "CREATE TABLE address(address TEXT NOT NULL, certificate INTEGER NOT NULL, PRIMARY KEY(address, "
    "certificate))"
    "  WITHOUT ROWID;"
    "CREATE INDEX address_certificate ON address(certificate);"
    "CREATE TABLE crl(file INTEGER NOT NULL, area INTEGER NOT NULL, issuer INTEGER NOT NULL);"
    "CREATE INDEX crl_issuer ON crl(issuer);"
    "CREATE INDEX crl_file ON crl(file);"
    "CREATE TABLE key(file INTEGER NOT NULL, spki BLOB NOT NULL);"
    "CREATE INDEX key_spki ON key(spki);"
    "CREATE INDEX key_file ON key(file);"
    /* Whatever takes a file away takes its objects away. */
    "CREATE TRIGGER file_gone AFTER DELETE ON file BEGIN"
    "  DELETE FROM certificate WHERE file = old.id;"
    "  DELETE FROM crl WHERE file = old.id;"
    "  DELETE FROM key WHERE file = old.id; END;"
    "CREATE TRIGGER certificate_gone AFTER DELETE ON certificate BEGIN"
    "  DELETE FROM address WHERE certificate = old.id; END;";

#define CERTIFICATE_COLUMNS                                                                                  \
    "SELECT c.area, c.fingerprint, c.der, c.capabilities, c.spki, f.name, f.stamp"                           \
    "  FROM certificate c JOIN file f ON f.id = c.file "
#define AREA_IN_MASK "((?1 >> c.area) & 1) = 1 "

const char *const index_sql[INDEX_STATEMENT_COUNT] = {
    [INDEX_DIRECTORIES] = "SELECT area, path, stamp, settled, scanned_ns FROM directory",
    [INDEX_SET_DIRECTORY] = "INSERT OR REPLACE INTO directory VALUES(?1, ?2, ?3, ?4, ?5)",
    [INDEX_FORGET_DIRECTORY] = "DELETE FROM directory WHERE area = ?1",
    [INDEX_FORGET_FILES] = "DELETE FROM file WHERE area = ?1",
    [INDEX_FILE] = "SELECT id, stamp, watch, faults FROM file WHERE area = ?1 AND name = ?2",
    [INDEX_ADD_FILE] = "INSERT INTO file(area, name, stamp, watch, faults) VALUES(?1, ?2, ?3, ?4, ?5)",
    [INDEX_SET_FILE] = "UPDATE file SET stamp = ?2, watch = ?3, faults = ?4 WHERE id = ?1",
    [INDEX_FORGET_FILE] = "DELETE FROM file WHERE id = ?1",
    [INDEX_FORGET_CERTIFICATES] = "DELETE FROM certificate WHERE file = ?1",
    [INDEX_FORGET_CRLS] = "DELETE FROM crl WHERE file = ?1",
    [INDEX_FORGET_KEYS] = "DELETE FROM key WHERE file = ?1",
    [INDEX_WATCHED] = "SELECT name, stamp, watch FROM file WHERE area = ?1 AND watch <> 0",
    [INDEX_UNSEEN] = "SELECT area, name, faults FROM file WHERE watch <> 0 AND (watch & ?2) <> 0"
                     " AND ((?1 >> area) & 1) = 1 LIMIT 1",
    [INDEX_FILES_OF_AREA] = "SELECT id, name FROM file WHERE area = ?1 AND id > ?2 ORDER BY id LIMIT 1000",
    [INDEX_COUNT_FILES] = "SELECT count(*) FROM file WHERE area = ?1",
    [INDEX_ADD_CERTIFICATE] =
        "INSERT INTO certificate(file, area, fingerprint, serial, issuer, subject, ski, spki, der,"
        " capabilities) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [INDEX_ADD_ADDRESS] = "INSERT OR IGNORE INTO address VALUES(?1, ?2)",
    [INDEX_ADD_CRL] = "INSERT INTO crl VALUES(?1, ?2, ?3)",
    [INDEX_ADD_KEY] = "INSERT INTO key VALUES(?1, ?2)",
    [INDEX_BY_ADDRESS] =
        "SELECT c.area, c.fingerprint, c.der, c.capabilities, c.spki, f.name, f.stamp FROM address a"
        " CROSS JOIN certificate c ON c.id = a.certificate CROSS JOIN file f ON f.id = c.file"
        " WHERE a.address = ?2 AND " AREA_IN_MASK "ORDER BY c.id",
    [INDEX_BY_SERIAL] =
        CERTIFICATE_COLUMNS "WHERE c.serial = ?2 AND c.issuer = ?3 AND " AREA_IN_MASK "ORDER BY c.id",
    [INDEX_BY_SKI] = CERTIFICATE_COLUMNS "WHERE c.ski = ?2 AND " AREA_IN_MASK "ORDER BY c.id",
    [INDEX_BY_FINGERPRINT] = CERTIFICATE_COLUMNS "WHERE c.fingerprint = ?2 AND " AREA_IN_MASK "ORDER BY c.id",
    [INDEX_BY_SUBJECT] = CERTIFICATE_COLUMNS "WHERE c.subject = ?2 AND " AREA_IN_MASK "ORDER BY c.id",
    [INDEX_BY_AREA] = CERTIFICATE_COLUMNS "WHERE c.area = ?1 AND c.fingerprint > ?2 GROUP BY c.fingerprint"
                                          " ORDER BY c.fingerprint LIMIT ?3",
    [INDEX_KEY_FILE] = "SELECT f.name, f.stamp FROM key k JOIN file f ON f.id = k.file"
                       " WHERE k.spki = ?1 AND f.area = ?2 ORDER BY f.name LIMIT 1",
    [INDEX_CRL_FILES] = "SELECT DISTINCT f.name, f.stamp FROM crl r JOIN file f ON f.id = r.file"
                        " WHERE r.issuer = ?2 AND r.area = ?1",
};
