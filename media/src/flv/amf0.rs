//! AMF0, the value format of FLV script tags and RTMP commands (Adobe's "Action Message Format -- AMF 0").
//!
//! Reading is safe on hostile input: nesting and the number of values are limited, and no memory is allocated
//! for a length that exceeds the input.

use crate::error::{Error, ErrorKind, Result};

const FORMAT: &str = "amf0";
/// Maximum nesting; deeper values are an error.
pub const MAX_DEPTH: u32 = 16;
/// Maximum number of values in one [`read`]; more are an error. Recorded files list some ten thousand key
/// frames.
pub const MAX_VALUES: u32 = 65_536;

/// One AMF0 value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// 0x00
    Number(f64),
    /// 0x01
    Boolean(bool),
    /// 0x02, 0x0c (long) and 0x0f (XML): invalid UTF-8 is replaced.
    String(String),
    /// 0x03 and 0x10 (typed; the class name is dropped).
    Object(Vec<(String, Value)>),
    /// 0x08
    EcmaArray(Vec<(String, Value)>),
    /// 0x0a
    StrictArray(Vec<Value>),
    /// 0x0b: milliseconds since 1970 in UTC.
    Date(f64),
    /// 0x05
    Null,
    /// 0x06 and 0x0d (unsupported).
    Undefined,
}

impl Value {
    /// Returns the number, if this is a number.
    pub const fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(n) => Some(*n),
            _ => None,
        }
    }

    /// Returns the boolean, if this is a boolean; a number counts as true if it is not zero.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(b) => Some(*b),
            Self::Number(n) => Some(*n != 0.0),
            _ => None,
        }
    }

    /// Returns the text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(s) => Some(s),
            _ => None,
        }
    }

    /// Returns the properties of an object or ECMA array.
    pub fn properties(&self) -> Option<&[(String, Self)]> {
        match self {
            Self::Object(p) | Self::EcmaArray(p) => Some(p),
            _ => None,
        }
    }

    /// Returns the value with this `name` in an object or ECMA array.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.properties()?.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

impl From<f64> for Value {
    fn from(n: f64) -> Self {
        Self::Number(n)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Boolean(b)
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Self::String(s.to_owned())
    }
}

/// Reads one value and moves `input` to the end of it. Error offsets count from the start of `input`.
pub fn read(input: &mut &[u8]) -> Result<Value> {
    let mut reader = Reader { rest: input, total: input.len(), values: 0 };
    let value = reader.value(0)?;
    *input = reader.rest;
    Ok(value)
}

/// Reads values until the input ends. An error after the first value ends the list without failing: the
/// values that RTMP peers append to commands are often malformed and never needed.
pub fn read_all(mut input: &[u8]) -> Result<Vec<Value>> {
    let mut values = Vec::new();
    while !input.is_empty() && values.len() < 64 {
        match read(&mut input) {
            Ok(value) => values.push(value),
            Err(error) if values.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    Ok(values)
}

struct Reader<'a> {
    rest: &'a [u8],
    total: usize,
    values: u32,
}

impl<'a> Reader<'a> {
    fn offset(&self) -> u64 {
        (self.total - self.rest.len()) as u64
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let Some((head, rest)) = self.rest.split_at_checked(count) else {
            return Err(Error::truncated(FORMAT, self.offset()));
        };
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    fn number(&mut self) -> Result<f64> {
        Ok(f64::from_be_bytes(self.array()?))
    }

    fn string(&mut self) -> Result<String> {
        let length = u16::from_be_bytes(self.array()?);
        Ok(String::from_utf8_lossy(self.take(length.into())?).into_owned())
    }

    fn long_string(&mut self) -> Result<String> {
        let length = u32::from_be_bytes(self.array()?) as usize;
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn properties(&mut self, depth: u32) -> Result<Vec<(String, Value)>> {
        let mut properties = Vec::new();
        loop {
            // Some encoders omit the end marker of the last ECMA array.
            if self.rest.is_empty() && depth == 0 {
                return Ok(properties);
            }
            let key = self.string()?;
            if key.is_empty() && self.rest.first() == Some(&9) {
                self.rest = &self.rest[1..];
                return Ok(properties);
            }
            properties.push((key, self.value(depth + 1)?));
        }
    }

    fn value(&mut self, depth: u32) -> Result<Value> {
        if depth >= MAX_DEPTH {
            return Err(Error::new(FORMAT, self.offset(), ErrorKind::TooLarge("nesting")));
        }
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(Error::new(FORMAT, self.offset(), ErrorKind::TooLarge("number of values")));
        }
        let [marker] = self.array()?;
        Ok(match marker {
            0x00 => Value::Number(self.number()?),
            0x01 => Value::Boolean(self.array::<1>()?[0] != 0),
            0x02 => Value::String(self.string()?),
            0x03 => Value::Object(self.properties(depth)?),
            0x05 => Value::Null,
            0x06 | 0x0d => Value::Undefined,
            0x08 => {
                // The count is unreliable: many encoders write a wrong one. The end marker decides.
                self.take(4)?;
                Value::EcmaArray(self.properties(depth)?)
            }
            0x0a => {
                let count = u32::from_be_bytes(self.array()?);
                let mut items = Vec::new();
                for _ in 0..count {
                    items.push(self.value(depth + 1)?);
                }
                Value::StrictArray(items)
            }
            0x0b => {
                let date = self.number()?;
                self.take(2)?;
                Value::Date(date)
            }
            0x0c | 0x0f => Value::String(self.long_string()?),
            0x10 => {
                self.string()?;
                Value::Object(self.properties(depth)?)
            }
            0x07 | 0x11 => {
                return Err(Error::unsupported(FORMAT, self.offset() - 1, "AMF0 reference or AMF3 value"));
            }
            _ => return Err(Error::invalid(FORMAT, self.offset() - 1, "AMF0 type")),
        })
    }
}

/// Appends `value`.
pub fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Number(n) => {
            out.push(0x00);
            out.extend_from_slice(&n.to_be_bytes());
        }
        Value::Boolean(b) => out.extend_from_slice(&[0x01, u8::from(*b)]),
        Value::String(s) if s.len() > 0xffff => {
            out.push(0x0c);
            out.extend_from_slice(&(s.len() as u32).to_be_bytes());
            out.extend_from_slice(s.as_bytes());
        }
        Value::String(s) => {
            out.push(0x02);
            write_key(out, s);
        }
        Value::Object(properties) => {
            out.push(0x03);
            write_properties(out, properties);
        }
        Value::EcmaArray(properties) => {
            out.push(0x08);
            out.extend_from_slice(&(properties.len() as u32).to_be_bytes());
            write_properties(out, properties);
        }
        Value::StrictArray(items) => {
            out.push(0x0a);
            out.extend_from_slice(&(items.len() as u32).to_be_bytes());
            items.iter().for_each(|item| write(out, item));
        }
        Value::Date(ms) => {
            out.push(0x0b);
            out.extend_from_slice(&ms.to_be_bytes());
            out.extend_from_slice(&[0, 0]);
        }
        Value::Null => out.push(0x05),
        Value::Undefined => out.push(0x06),
    }
}

fn write_properties(out: &mut Vec<u8>, properties: &[(String, Value)]) {
    for (key, value) in properties {
        write_key(out, key);
        write(out, value);
    }
    out.extend_from_slice(&[0, 0, 9]);
}

/// Keys longer than 65,535 bytes are cut at a character boundary, because their length does not fit.
fn write_key(out: &mut Vec<u8>, key: &str) {
    let end = (0..=key.len().min(0xffff)).rev().find(|&at| key.is_char_boundary(at)).unwrap_or(0);
    out.extend_from_slice(&(end as u16).to_be_bytes());
    out.extend_from_slice(&key.as_bytes()[..end]);
}

#[cfg(test)]
mod tests;
