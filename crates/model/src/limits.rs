//! Every limit that outside data can reach, with what happens there (law 6).
//!
//! Limits that depend on each other are tied by `const` assertions at the end.

/// Bytes of one record. Longer: dead letter `record_too_large`.
pub const RECORD_BYTES_MAX: usize = 8 << 20;
/// Nesting of one JSON record. Deeper: dead letter `nested_too_deep`.
pub const JSON_DEPTH_MAX: usize = 64;
/// Wrappers around a webhook (a queue's message, a request) that are opened, one in another. What
/// lies deeper: dead letter `unknown_shape`.
pub const WRAPPERS_MAX: usize = 4;
/// Items (messages, statuses, events) of one record. More: the rest is one dead letter `too_many_items`.
pub const RECORD_ITEMS_MAX: usize = 100_000;
/// Contacts of one change of a webhook that the straight way looks through for each of its items. A
/// webhook with more is read the long way, which finds them by a map, and counted.
pub const STRAIGHT_CONTACTS_MAX: usize = 16;
/// Literals that known layouts of JSON may have at one place. A text with another one there is read
/// key by key, and its layout is not learned.
pub const LAYOUT_SIBLINGS_MAX: usize = 64;
/// Fields of one urlencoded form. More: dead letter `too_many_fields`.
pub const FORM_FIELDS_MAX: usize = 1_024;
/// Headers of one record that are looked at; later ones are taken for absent.
pub const HEADERS_MAX: usize = 256;
/// Bytes of one header's value that is looked at; a longer one is taken for absent.
pub const HEADER_BYTES_MAX: usize = 4 << 10;
/// The highest code of an error; the platform's have up to seven digits. A higher one is no code.
pub const ERROR_CODE_MAX: u64 = 9_999_999;
/// Bytes of an id as it arrives (wamid, user id, phone). Longer: dead letter `id_too_long`.
pub const ID_BYTES_MAX: usize = 1_024;
/// Bytes of one text that the shape kernel reads; the rest of a longer one is not looked at.
pub const TEXT_BYTES_MAX: usize = 64 << 10;
/// Distinct content tokens kept of a text: the smallest keyed hashes.
pub const TEXT_TOKENS_MAX: usize = 16;
/// Characters of a text that its skeleton reads.
pub const SKELETON_CHARS_MAX: usize = 200;
/// Buckets of `text_bucket`.
pub const TEXT_BUCKETS: u32 = 64;

/// Buckets that senders are spread over in `sender_days`.
pub const SENDER_BUCKETS: u32 = 16;

/// Tokens kept of a peer: the smallest of the union over its texts.
pub const PEER_TOKENS_MAX: usize = 16;
/// Peers of the peer sample of a sender.
pub const PEER_SAMPLE_MAX: usize = 512;
/// Peers without U that a day's peer sample carries along for their replies' tokens.
pub const PEER_SAMPLE_OUTBOUND_ONLY_MAX: usize = 4_096;
/// Hashes of the peer count; exact up to here.
pub const PEER_COUNT_MAX: usize = 2_048;
/// Texts of a text sample of a sender.
pub const TEXT_SAMPLE_MAX: usize = 128;
/// Texts that one conversation gives to a text sample.
pub const TEXT_SAMPLE_PER_CONVERSATION_MAX: usize = 4;
/// Fewest tokens of a text in a text sample, and of a peer in topic coincidence.
pub const SAMPLE_TOKENS_MIN: usize = 2;
/// Groups of peers of the jackknife.
pub const JACKKNIFE_GROUPS: u64 = 10;

/// Age at which an open batch of ingest is committed.
pub const COMMIT_AGE_MS: i64 = 2_000;
/// Bytes of an open batch of ingest, rows and the columns to come, that commit it.
pub const COMMIT_BYTES: usize = 64 << 20;
/// Rows of an open batch of ingest that commit it.
pub const COMMIT_ROWS: usize = 500_000;
/// A data file older than this is not committed but read again (law 8).
pub const COMMIT_DEADLINE_MS: i64 = 10 * 60_000;
/// Files that no commit names are removed after this.
pub const ORPHAN_RETENTION_MS: i64 = 60 * 60_000;
/// Files of derived tables that were replaced are removed after this: a look of derive replaces them.
pub const DERIVED_RETENTION_MS: i64 = 15 * 60_000;
/// Log entries are kept for at least this.
pub const LOG_RETENTION_MS: i64 = 24 * 3_600_000;
/// Attempts at one commit before the worker gives its partitions up and reads them again.
pub const COMMIT_ATTEMPTS_MAX: u32 = 30;
/// Commits between two checkpoints of the log.
pub const CHECKPOINT_EVERY: u64 = 200;
/// Data files of one kind and date that are left beside ingest. Files grow with their day, so a day
/// of up to a quarter of so many of [`LIVE_FILE_BYTES_MAX`] has fewer; where more come than are
/// merged, merging goes on with the kind and date that has most.
pub const LIVE_FILES_MAX: usize = 500;
/// Bytes that compaction makes one data file of, which is in memory while it is written.
pub const LIVE_FILE_BYTES_MAX: u64 = 1 << 30;
/// Files in no order of one rewrite of compaction, all of them open. More wait for the next one.
pub const REWRITE_UNSORTED_FILES_MAX: usize = 500;
/// Bytes of files in no order of one rewrite. More wait for the next one; a file of more is
/// rewritten alone.
pub const REWRITE_UNSORTED_BYTES_MAX: u64 = 96 << 20;
/// Rows of files in no order of one rewrite, which are in memory twice. More wait for the next one;
/// a file of more is rewritten alone.
pub const REWRITE_UNSORTED_ROWS_MAX: u64 = 1_000_000;
/// Files in order that one rewrite reads side by side, a batch of rows of each in memory. More wait
/// for the next one.
pub const REWRITE_SORTED_FILES_MAX: usize = 32;
/// Bytes of a data file that goes to the store in one request. A longer one goes in parts.
pub const PUT_BYTES_MAX: usize = 16 << 20;
/// Bytes of a part of a data file that is written or read in parts; the last may have fewer.
pub const PART_BYTES: usize = 8 << 20;
/// Data files, or parts of one, that one call has under way to or from the store. Others wait.
pub const TRANSFERS_MAX: usize = 8;
/// Uploads in parts that are begun for one data file: one that fails is aborted. Then the file is
/// not written, and what needed it is tried again later.
pub const UPLOADS_MAX: u32 = 3;
/// Bytes of decoded rows, and of the columns to come, that an ingest process holds before it pauses
/// partitions.
pub const INGEST_BUFFER_BYTES_MAX: usize = 256 << 20;

/// Records with dead letters that `dead-letters requeue` lists at a time; it goes on behind the last.
pub const REQUEUE_RECORDS_AT_ONCE: usize = 10_000;
/// Transactions of requeued items that a lake may hold: each stays in its log. A run of
/// `dead-letters requeue` that would make more stops and says so.
pub const REQUEUE_TXNS_MAX: usize = 1_000_000;

/// Rows of one SQL answer to a client.
pub const SQL_ROWS_MAX: usize = 1_000_000;
/// Bytes of one SQL statement.
pub const SQL_TEXT_BYTES_MAX: usize = 64 << 10;
/// Bytes that queries may hold before they spill or fail.
pub const QUERY_MEMORY_BYTES: usize = 8 << 30;
/// Bytes that queries may spill to disk.
pub const QUERY_SPILL_BYTES: u64 = 32 << 30;
/// Rows of files that are not merged which one fold holds at a time; more are folded in several
/// goes, by days and by senders. Of the first of the days that a fold needs only those count that
/// lie in its last half hour.
pub const FOLD_ROWS_MAX: u64 = 16_000_000;
/// Sorted files that a fold merges at a time, of all kinds and of all days that it needs: four or
/// more. Of more the smallest are held as if they were not sorted.
pub const FOLD_SORTED_FILES_MAX: usize = 3_000;
/// Bytes that sorted files which are merged hold while they are read: of each a row group, and as
/// much again in decoded pages. Of files that would hold more the smallest are held as if they were
/// not sorted; of a smaller pool it is three eighths.
pub const FOLD_SORTED_BYTES_MAX: u64 = 3 << 30;
/// Rows of sorted files that days which are folded together may have: of these the fold holds one
/// sender's at a time. A day of more is folded alone.
pub const FOLD_SORTED_ROWS_MAX: u64 = 32_000_000;
/// Shares of the senders that the rows of a day are folded in. Each reads the day's files that are
/// not sorted, and of sorted ones its part. Of more rows each share has more than one fold should
/// hold.
pub const FOLD_SHARES_MAX: u32 = 512;
/// Fractions of one call of `exact_quantiles` or `exact_summary`.
pub const QUANTILE_FRACTIONS_MAX: usize = 64;
/// Bytes of texts of bare messages that are read at a time; one longer text is read alone.
pub const BARE_TEXT_BYTES_MAX: usize = 64 << 20;
/// Pieces that a Parquet file of bare messages is scanned or folded in.
pub const BARE_PIECES_MAX: usize = 64;

/// Senders of one page of the gRPC list.
pub const PAGE_SIZE_MAX: usize = 1_000;
/// Senders of a page where the client names no size.
pub const PAGE_SIZE_DEFAULT: usize = 100;
/// Bytes of a gRPC request.
pub const GRPC_REQUEST_BYTES_MAX: usize = 64 << 10;
/// Publications that pages can still be read of; a page token of an older one is refused.
pub const PUBLICATIONS_KEPT: usize = 8;
/// gRPC calls that are answered at one time; the next is refused with `RESOURCE_EXHAUSTED`.
pub const GRPC_CALLS_MAX: usize = 256;
/// Streams of one gRPC connection.
pub const GRPC_STREAMS_MAX: u32 = 64;
/// Bytes of the headers of a gRPC call.
pub const GRPC_HEADER_BYTES_MAX: u32 = 16 << 10;
/// How long a gRPC call may take.
pub const GRPC_TIMEOUT_MS: u64 = 30_000;
/// How often a silent gRPC connection is asked whether it is still there.
pub const GRPC_KEEPALIVE_MS: u64 = 30_000;
/// How often a process that serves and does not derive looks whether another one has.
pub const SERVE_LOOK_MS: u64 = 2_000;
/// How long a server waits for open calls when it stops.
pub const SERVE_DRAIN_MS: u64 = 10_000;
/// How long a process that was told to end waits for its parts; what ingest has not committed by
/// then is read again by the next.
pub const SHUTDOWN_MS: u64 = 25_000;
/// How long a revoked or draining partition may be tried to be committed before it is left.
pub const RELEASE_MS: u64 = 12_000;
/// Rows of the `senders` file.
pub const SENDERS_FILE_ROWS_MAX: usize = 1_000_000;

// A worker stopped for the whole deadline must never commit a file that the sweep has removed.
const _: () = assert!(ORPHAN_RETENTION_MS >= 4 * COMMIT_DEADLINE_MS);
// What a slow worker may still commit against must still be in the log.
const _: () = assert!(LOG_RETENTION_MS >= 4 * ORPHAN_RETENTION_MS);
const _: () = assert!(DERIVED_RETENTION_MS <= ORPHAN_RETENTION_MS);
const _: () = assert!(COMMIT_AGE_MS * 10 <= COMMIT_DEADLINE_MS);
// A store's client gives a request 30 s. Where so many parts take longer, the longest file takes
// longer than four fifths of the deadline: of requests that could have helped hardly any fails.
const _: () = assert!(
    4 * (PART_BYTES * TRANSFERS_MAX) as u64 * (COMMIT_DEADLINE_MS / 30_000) as u64
        <= 5 * LIVE_FILE_BYTES_MAX
);
// Of a part S3 wants 5 MiB at least, and of an upload 10,000 parts at most.
const _: () = assert!(PART_BYTES >= 5 << 20 && PART_BYTES <= PUT_BYTES_MAX);
const _: () = assert!(LIVE_FILE_BYTES_MAX / (PART_BYTES as u64) < 10_000);
const _: () = assert!(COMMIT_BYTES <= INGEST_BUFFER_BYTES_MAX);
// What is drained must be left in time for the group to be left too.
const _: () = assert!(RELEASE_MS + 10_000 < SHUTDOWN_MS);
// Messages and statuses of three days have as many files where compaction does what it should.
const _: () = assert!(FOLD_SORTED_FILES_MAX >= 2 * 3 * LIVE_FILES_MAX);
// Two folds at a time leave a quarter of the memory to the rows they hold.
const _: () = assert!(2 * FOLD_SORTED_BYTES_MAX <= QUERY_MEMORY_BYTES as u64 / 4 * 3);
// A text bucket has six bits.
const _: () = assert!(TEXT_BUCKETS == 1 << 6);
const _: () = assert!(TEXT_SAMPLE_PER_CONVERSATION_MAX <= TEXT_SAMPLE_MAX);
const _: () = assert!(PAGE_SIZE_DEFAULT <= PAGE_SIZE_MAX);
const _: () = assert!(PUBLICATIONS_KEPT >= 2);
