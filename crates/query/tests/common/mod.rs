//! What the tests of bare messages' texts share.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BinaryViewArray, LargeBinaryArray, LargeStringArray, RecordBatch,
    StringArray, StringViewArray,
};
use arrow::compute::concat_batches;
use datafusion::prelude::SessionContext;
use turnwise_model::{Keys, Secret};

pub fn keys() -> Arc<Keys> {
    Arc::new(Keys::expand(&Secret::new(b"0123456789abcdef0123456789abcdef").expect("long enough")))
}

/// The answer to a statement, which has rows.
pub async fn ask(context: &SessionContext, sql: &str) -> RecordBatch {
    let frame = context.sql(sql).await.expect("planned");
    let batches = frame.collect().await.expect("run");
    concat_batches(&batches[0].schema(), &batches).expect("one")
}

/// Texts in every type of column that may hold them, bytes in those that need not be UTF-8.
pub fn forms(texts: &[Option<&str>], bytes: &[Option<&[u8]>]) -> [ArrayRef; 6] {
    [
        Arc::new(StringArray::from(texts.to_vec())),
        Arc::new(LargeStringArray::from(texts.to_vec())),
        Arc::new(StringViewArray::from(texts.to_vec())),
        Arc::new(BinaryArray::from(bytes.to_vec())),
        Arc::new(LargeBinaryArray::from(bytes.to_vec())),
        Arc::new(BinaryViewArray::from(bytes.to_vec())),
    ]
}
