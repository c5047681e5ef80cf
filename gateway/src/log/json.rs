//! The log as JSON: one object a line, with the fields of the event beside `timestamp`, `level`, `target` and `message`,
//! and those of its spans in `spans`.
//!
//! Text is escaped and shortened as in the other form, so that a program that shows it needs no care.

use std::fmt;

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::shortened;

/// Writes an event as a JSON object.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonEvents;

/// Writes fields as members of a JSON object, without its braces.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonFields;

impl<S> FormatEvent<S, JsonFields> for JsonEvents
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        writer.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut writer)?;
        write!(
            writer,
            "\",\"level\":\"{}\",\"target\":{}",
            metadata.level(),
            Value::from(metadata.target())
        )?;
        let mut fields = String::new();
        JsonFields.format_fields(Writer::new(&mut fields), event)?;
        member(&mut writer, &fields)?;
        writer.write_str(",\"spans\":[")?;
        for (index, span) in context.event_scope().into_iter().flat_map(|scope| scope.from_root()).enumerate()
        {
            let comma = if index == 0 { "" } else { "," };
            write!(writer, "{comma}{{\"name\":{}", Value::from(span.name()))?;
            if let Some(fields) = span.extensions().get::<FormattedFields<JsonFields>>() {
                member(&mut writer, &fields.fields)?;
            }
            writer.write_char('}')?;
        }
        writer.write_str("]}\n")
    }
}

/// Writes members after others.
fn member(writer: &mut Writer<'_>, fields: &str) -> fmt::Result {
    if fields.is_empty() { Ok(()) } else { write!(writer, ",{fields}") }
}

impl<'writer> FormatFields<'writer> for JsonFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut members = Members { writer, first: true, result: Ok(()) };
        fields.record(&mut members);
        members.result
    }

    fn add_fields(
        &self,
        current: &'writer mut FormattedFields<Self>,
        fields: &tracing::span::Record<'_>,
    ) -> fmt::Result {
        if !current.fields.is_empty() {
            current.fields.push(',');
        }
        self.format_fields(current.as_writer(), fields)
    }
}

struct Members<'writer> {
    writer: Writer<'writer>,
    first: bool,
    result: fmt::Result,
}

impl Members<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        if self.result.is_ok() {
            let comma = if std::mem::take(&mut self.first) { "" } else { "," };
            self.result = write!(self.writer, "{comma}{}:{}", Value::from(field.name()), value.into());
        }
    }
}

impl Visit for Members<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, shortened(format_args!("{value}")));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, shortened(format_args!("{value:?}")));
    }
}
