//! Texts on their way to their shape: the only place of the program that holds message texts,
//! and for no more than a few thousand of them at a time.

use arrow_array::builder::BinaryBuilder;
use arrow_array::{Array, Int32Array, Int64Array};
use turnwise_kernels::shape::{ShapeColumns, shape};
use turnwise_model::Keys;
use turnwise_model::limits::TEXT_BYTES_MAX;

/// Texts that wait for the kernel at most.
const TEXTS_MAX: usize = 4_096;
/// Bytes of texts that wait for the kernel at most, give or take one text.
const TEXT_BYTES_WAITING_MAX: usize = 4 << 20;
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
    waiting: BinaryBuilder,
    waiting_bytes: usize,
    done: TextShapes,
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
        let waiting = BinaryBuilder::new();
        Self { keys, waiting, waiting_bytes: 0, done: TextShapes::default() }
    }

    /// Takes a text and gives its number in the batch.
    pub(crate) fn push(&mut self, text: &str) -> u32 {
        self.push_bytes(text.as_bytes())
    }

    /// The same of bytes that are UTF-8.
    pub(crate) fn push_bytes(&mut self, text: &[u8]) -> u32 {
        let number = self.done.shapes.len() + self.waiting_texts();
        self.waiting.append_value(text);
        self.waiting_bytes += text.len();
        if self.waiting_texts() >= TEXTS_MAX || self.waiting_bytes >= TEXT_BYTES_WAITING_MAX {
            self.run();
        }
        narrow(number)
    }

    fn waiting_texts(&self) -> usize {
        arrow_array::builder::ArrayBuilder::len(&self.waiting)
    }

    /// Runs the kernel over the texts that wait, and drops them.
    fn run(&mut self) {
        if self.waiting_texts() == 0 {
            return;
        }
        let texts = self.waiting.finish();
        self.waiting_bytes = 0;
        if let Some(keys) = &self.keys {
            self.done.extend(&shape(&texts, keys));
        }
    }

    /// Bytes held, about.
    pub(crate) fn bytes(&self) -> usize {
        let texts = self.done.shapes.len() + self.waiting_texts();
        texts * (size_of::<TextShape>() + TOKENS_ABOUT * size_of::<i32>()) + self.waiting_bytes
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

/// Texts and tokens of a batch are far fewer than 2³².
fn narrow(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

// A record's texts are parts of it, so what waits stays below what one binary array can hold.
const _: () = assert!(turnwise_model::limits::RECORD_BYTES_MAX < 1 << 30);
const _: () = assert!(TEXT_BYTES_WAITING_MAX > TEXT_BYTES_MAX);
