//! Texts on their way to their shape: the only place of the program that holds message texts,
//! and for no more than a few thousand of them at a time.

use arrow_array::{Array, BinaryArray, Int32Array, Int64Array};
use arrow_buffer::{Buffer, OffsetBuffer};
use turnwise_kernels::shape::{ShapeColumns, shape};
use turnwise_model::Keys;
use turnwise_model::limits::TEXT_BYTES_MAX;

/// Texts that wait for the kernel at most.
const TEXTS_MAX: usize = 4_096;
/// Bytes of texts that wait for the kernel at most, give or take one text.
const TEXT_BYTES_WAITING_MAX: usize = 4 << 20;
/// Bytes that memory for waiting texts is kept for between two runs of the kernel.
const TEXT_BYTES_KEPT_MAX: usize = 1 << 20;
/// Tokens of a text, about, for the estimate of memory.
const TOKENS_ABOUT: usize = 8;

/// Texts that memory for shapes is kept for between two batches.
const TEXTS_KEPT_MAX: usize = 1 << 16;

/// The shape of one text; tokens are a range of [`TextShapes::tokens`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextShape {
    pub(crate) chars: Option<i32>,
    pub(crate) bytes: Option<i32>,
    pub(crate) words: Option<i32>,
    pub(crate) lines: Option<i32>,
    pub(crate) script: Option<i32>,
    pub(crate) text_bits: Option<i32>,
    pub(crate) skeleton: Option<i64>,
    pub(crate) text_bucket: Option<i32>,
    tokens: Option<(u32, u32)>,
}

/// The shapes of a batch's texts, in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct TextShapes {
    shapes: Vec<TextShape>,
    tokens: Vec<i32>,
}

/// Collects texts and turns them into shapes.
pub(crate) struct Shapes {
    /// Without keys texts are dropped unread.
    keys: Option<Keys>,
    waiting: Waiting,
    done: TextShapes,
}

/// Texts that wait for the kernel.
#[derive(Default)]
struct Waiting {
    /// All behind each other.
    bytes: Vec<u8>,
    /// Where the first one begins, and where each ends; nothing of no texts.
    offsets: Vec<i32>,
}

impl std::fmt::Debug for Shapes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Shapes")
            .field("done", &self.done.shapes.len())
            .finish_non_exhaustive()
    }
}

impl TextShapes {
    /// The shape of a text by its number.
    pub(crate) fn get(&self, number: u32) -> Option<&TextShape> {
        self.shapes.get(number as usize)
    }

    /// Whether there is no shape at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }

    /// The tokens of a shape.
    pub(crate) fn tokens(&self, shape: &TextShape) -> Option<&[i32]> {
        let (from, to) = shape.tokens?;
        self.tokens.get(from as usize..to as usize)
    }

    fn extend(&mut self, columns: &ShapeColumns) {
        let int = |array: &Int32Array, row: usize| array.is_valid(row).then(|| array.value(row));
        let long = |array: &Int64Array, row: usize| array.is_valid(row).then(|| array.value(row));
        let numbers = &columns.numbers;
        for row in 0..numbers.chars.len() {
            let tokens = columns.tokens.is_valid(row).then(|| {
                let from = self.tokens.len();
                let values = columns.tokens.value(row);
                if let Some(values) = values.as_any().downcast_ref::<Int32Array>() {
                    self.tokens.extend_from_slice(values.values());
                }
                (narrow(from), narrow(self.tokens.len()))
            });
            self.shapes.push(TextShape {
                chars: int(&numbers.chars, row),
                bytes: int(&numbers.bytes, row),
                words: int(&numbers.words, row),
                lines: int(&numbers.lines, row),
                script: int(&numbers.script, row),
                text_bits: int(&numbers.text_bits, row),
                skeleton: long(&columns.skeleton, row),
                text_bucket: int(&numbers.text_bucket, row),
                tokens,
            });
        }
    }
}

impl Shapes {
    pub(crate) fn new(keys: Option<Keys>) -> Self {
        Self { keys, waiting: Waiting::default(), done: TextShapes::default() }
    }

    /// Takes a text and gives its number in the batch.
    pub(crate) fn push(&mut self, text: &str) -> u32 {
        self.push_bytes(text.as_bytes())
    }

    /// The same of bytes that are UTF-8.
    pub(crate) fn push_bytes(&mut self, text: &[u8]) -> u32 {
        let number = self.done.shapes.len() + self.waiting.texts();
        self.waiting.push(text);
        if self.waiting.texts() >= TEXTS_MAX || self.waiting.bytes.len() >= TEXT_BYTES_WAITING_MAX {
            self.run();
        }
        narrow(number)
    }

    /// Runs the kernel over the texts that wait, and drops them.
    #[inline(never)]
    fn run(&mut self) {
        if self.waiting.texts() == 0 {
            return;
        }
        let texts = self.waiting.take();
        if let Some(keys) = &self.keys {
            self.done.extend(&shape(&texts, keys));
        }
        self.waiting.reuse(texts);
    }

    /// Bytes held, about.
    pub(crate) fn bytes(&self) -> usize {
        let texts = self.done.shapes.len() + self.waiting.texts();
        let shape_bytes = size_of::<TextShape>() + TOKENS_ABOUT * size_of::<i32>();
        texts * shape_bytes + self.waiting.bytes.len()
    }

    /// The shapes of all texts since the last call.
    pub(crate) fn finish(&mut self) -> TextShapes {
        self.run();
        std::mem::take(&mut self.done)
    }

    /// Takes back what [`Shapes::finish`] gave, for its memory.
    pub(crate) fn reuse(&mut self, mut shapes: TextShapes) {
        shapes.shapes.clear();
        shapes.shapes.shrink_to(TEXTS_KEPT_MAX);
        shapes.tokens.clear();
        shapes.tokens.shrink_to(TEXTS_KEPT_MAX * TOKENS_ABOUT);
        self.done = shapes;
    }
}

impl Waiting {
    #[inline(always)]
    fn texts(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    #[inline(always)]
    fn push(&mut self, text: &[u8]) {
        if self.offsets.is_empty() {
            self.offsets.push(0);
        }
        self.bytes.extend_from_slice(text);
        self.offsets.push(i32::try_from(self.bytes.len()).unwrap_or(i32::MAX));
    }

    fn take(&mut self) -> BinaryArray {
        let Self { bytes, offsets } = std::mem::take(self);
        BinaryArray::new(OffsetBuffer::new(offsets.into()), Buffer::from_vec(bytes), None)
    }

    /// Takes back what [`Waiting::take`] gave, for its memory.
    fn reuse(&mut self, texts: BinaryArray) {
        let (offsets, bytes, _) = texts.into_parts();
        // Memory that someone else still has is not used again.
        self.offsets = offsets.into_inner().into_inner().into_vec().unwrap_or_default();
        self.bytes = bytes.into_vec().unwrap_or_default();
        self.offsets.clear();
        self.bytes.clear();
        self.bytes.shrink_to(TEXT_BYTES_KEPT_MAX);
    }
}

/// Texts and tokens of a batch are far fewer than 2³².
fn narrow(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

// A record's texts are parts of it, so what waits stays below what one binary array can hold.
const _: () = assert!(turnwise_model::limits::RECORD_BYTES_MAX < 1 << 30);
const _: () = assert!(TEXT_BYTES_WAITING_MAX > TEXT_BYTES_MAX);
