//! A partition's own queue, read in batches.
//!
//! The plain way is one event at a time through the client's wrapper: an allocation and two locks
//! a record. A batch takes the records out together and lends their bytes without copying them.
//!
//! ```text
//!  broker thread ──▶ partition queue ──▶ read: batch of messages ──▶ each(Item), then destroyed
//!                       │ was empty
//!                       └──▶ wake()
//! ```

use std::ffi::{CStr, CString, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use rdkafka::bindings as native;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode as Code;
use turnwise_model::{Millis, Offset};

/// Messages taken out of the queue together.
const BATCH_MAX: usize = 512;

/// What wakes the reader.
pub(crate) trait Wake: Send + Sync + 'static {
    /// A queue is no longer empty. Called on the client's threads, under the queue's lock: must
    /// neither block nor panic.
    fn wake(&self);
}

/// The queue of one partition of one consumer.
pub(crate) struct PartitionQueue<C: ConsumerContext + 'static> {
    queue: NonNull<native::rd_kafka_queue_t>,
    batch: Vec<*mut native::rd_kafka_message_t>,
    /// Keeps the client alive, and with its context what the callback points to.
    _client: Arc<BaseConsumer<C>>,
}

/// What comes out of a queue.
pub(crate) enum Item<'a> {
    /// A record.
    Record(Record<'a>),
    /// The end of the partition: the next offset, behind control records too.
    End(Offset),
    /// The client stopped over something, in its own words.
    Failed(Code, String),
}

/// A record that lives while the reader looks at it.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    message: NonNull<native::rd_kafka_message_t>,
    lives: PhantomData<&'a ()>,
}

/// Name and value of a header.
pub(crate) type Header<'a> = (&'a [u8], Option<&'a [u8]>);

// SAFETY: librdkafka serves its queues from any thread; the batch is empty between reads.
unsafe impl<C: ConsumerContext + 'static> Send for PartitionQueue<C> {}

impl<C: ConsumerContext + Wake> PartitionQueue<C> {
    /// Splits the partition's queue off the consumer's. Before the partition is assigned, so that
    /// no record of it ever takes the consumer's queue: one that did would come out of order.
    pub fn split(client: &Arc<BaseConsumer<C>>, topic: &str, partition: i32) -> Option<Self> {
        let topic = CString::new(topic).ok()?;
        let context: *const C = Arc::as_ptr(client.client().context());
        // SAFETY: the client is alive, the name ends in zero. The context outlives the callback:
        // the client holds it, we hold the client, and `drop` takes the callback off first.
        let queue = unsafe {
            let queue = native::rd_kafka_queue_get_partition(
                client.client().native_ptr(),
                topic.as_ptr(),
                partition,
            );
            let queue = NonNull::new(queue)?;
            native::rd_kafka_queue_forward(queue.as_ptr(), ptr::null_mut());
            native::rd_kafka_queue_cb_event_enable(
                queue.as_ptr(),
                Some(woken::<C>),
                context.cast_mut().cast(),
            );
            queue
        };
        Some(Self { queue, batch: Vec::with_capacity(BATCH_MAX), _client: Arc::clone(client) })
    }

    /// Gives what is there to `each`, at most `max` items and without waiting, until `each` says
    /// stop; the rest of the batch is dropped then. Returns whether more may be there.
    pub fn read(&mut self, max: usize, each: &mut dyn FnMut(Item<'_>) -> bool) -> bool {
        let mut left = max;
        while left > 0 {
            let wanted = left.min(BATCH_MAX);
            self.batch.clear();
            // SAFETY: the buffer has room for `wanted` pointers; as many as the call says are
            // written, each to a message that is now ours to destroy.
            let taken = unsafe {
                let taken = native::rd_kafka_consume_batch_queue(
                    self.queue.as_ptr(),
                    0,
                    self.batch.as_mut_ptr(),
                    wanted,
                );
                let taken = usize::try_from(taken).unwrap_or_default().min(wanted);
                self.batch.set_len(taken);
                taken
            };
            let messages = Messages(&mut self.batch);
            for message in messages.0.iter().filter_map(|message| NonNull::new(*message)) {
                // SAFETY: the message lives until `messages` is dropped, after the last use.
                if !each(unsafe { item(message) }) {
                    return false;
                }
            }
            drop(messages);
            if taken < wanted {
                return false;
            }
            left -= taken;
        }
        true
    }
}

impl<C: ConsumerContext + 'static> Drop for PartitionQueue<C> {
    fn drop(&mut self) {
        // SAFETY: the queue is ours and used no more. Taking the callback off waits for one that
        // is running, since both hold the queue's lock.
        unsafe {
            native::rd_kafka_queue_cb_event_enable(self.queue.as_ptr(), None, ptr::null_mut());
            native::rd_kafka_queue_destroy(self.queue.as_ptr());
        }
    }
}

/// Destroys a batch, also when the reader panics.
struct Messages<'a>(&'a mut Vec<*mut native::rd_kafka_message_t>);

impl Drop for Messages<'_> {
    fn drop(&mut self) {
        for message in self.0.drain(..) {
            // SAFETY: each message came out of the queue once and is destroyed here alone.
            unsafe { native::rd_kafka_message_destroy(message) };
        }
    }
}

unsafe extern "C" fn woken<C: Wake>(_: *mut native::rd_kafka_t, context: *mut c_void) {
    // SAFETY: `split` passed a pointer to the context, alive while the callback is set.
    unsafe { &*context.cast_const().cast::<C>() }.wake();
}

/// # Safety
/// The message came out of a queue and lives for `'a`.
unsafe fn item<'a>(message: NonNull<native::rd_kafka_message_t>) -> Item<'a> {
    // SAFETY: by this function's contract.
    let (code, offset) = unsafe { (message.as_ref().err, message.as_ref().offset) };
    match code {
        native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => {
            Item::Record(Record { message, lives: PhantomData })
        }
        native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__PARTITION_EOF => Item::End(Offset(offset)),
        code => {
            // SAFETY: the message lives; the text is its own and ends in zero.
            let text = unsafe {
                let text = native::rd_kafka_message_errstr(message.as_ptr());
                if text.is_null() {
                    String::new()
                } else {
                    CStr::from_ptr(text).to_string_lossy().into_owned()
                }
            };
            Item::Failed(code.into(), text)
        }
    }
}

impl<'a> Record<'a> {
    /// Its offset.
    pub fn offset(self) -> Offset {
        // SAFETY: the message lives for 'a.
        Offset(unsafe { self.message.as_ref() }.offset)
    }

    /// Its time, where it has one.
    pub fn time(self) -> Option<Millis> {
        // SAFETY: the message lives for 'a; the kind of the time is not asked for.
        let time =
            unsafe { native::rd_kafka_message_timestamp(self.message.as_ptr(), ptr::null_mut()) };
        (time >= 0).then_some(Millis(time))
    }

    /// Its key.
    pub fn key(self) -> Option<&'a [u8]> {
        // SAFETY: the message lives for 'a and owns these bytes.
        unsafe {
            let message = self.message.as_ref();
            bytes(message.key, message.key_len)
        }
    }

    /// Its value; none in a tombstone.
    pub fn value(self) -> Option<&'a [u8]> {
        // SAFETY: the message lives for 'a and owns these bytes.
        unsafe {
            let message = self.message.as_ref();
            bytes(message.payload, message.len)
        }
    }

    /// Its headers, in order; only now does the client decode them.
    pub fn headers(self) -> Vec<Header<'a>> {
        let mut headers = ptr::null_mut();
        // SAFETY: the message lives for 'a and owns the headers; this thread alone looks at it.
        let code =
            unsafe { native::rd_kafka_message_headers(self.message.as_ptr(), &raw mut headers) };
        if code != native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR || headers.is_null() {
            return Vec::new();
        }
        // SAFETY: the headers live for 'a.
        let count = unsafe { native::rd_kafka_header_cnt(headers) };
        let mut found = Vec::with_capacity(count);
        for at in 0..count {
            let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
            // SAFETY: as above; where the call succeeds, the name ends in zero and the value has
            // `length` bytes, both owned by the headers.
            unsafe {
                let code = native::rd_kafka_header_get_all(
                    headers,
                    at,
                    &raw mut name,
                    &raw mut value,
                    &raw mut length,
                );
                if code == native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                    found.push((CStr::from_ptr(name).to_bytes(), bytes(value, length)));
                }
            }
        }
        found
    }
}

/// # Safety
/// Where it is not null, `start` points to `length` bytes that live for `'a` and do not change.
unsafe fn bytes<'a>(start: *const c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: by this function's contract.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start.cast(), length) })
}
