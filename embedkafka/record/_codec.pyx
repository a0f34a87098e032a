# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, embedsignature=True, embedsignature.format=clinic, binding=False
"""The codec, compiled: what runs once per record.  ``_codec_py.py`` is the same in plain Python and the reference.

What makes it fast, and what a change must keep:

* Appending a record to an open batch runs no Python code, makes no object that the garbage collector tracks, and drops no
  reference to a foreign object.  Nothing can switch threads in there, so the GIL makes it atomic and it takes no lock.
  (The module does not declare itself safe without the GIL; a free-threaded interpreter turns the GIL on when it loads it.)
* A :class:`ConsumerRecord` is no tuple: its fields are real member descriptors, which CPython 3.11 and later specialise to
  a pointer load, and it has no GC header.  A future is a pointer to the batch's delivery and a few numbers.
* Whatever is rare is a call to a Python method of the subclass, whose name ends in ``_rare``.
"""

cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_FromStringAndSize, PyByteArray_Resize
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_SetItem
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

import functools
from collections.abc import Sequence

from embedkafka.errors import CorruptRecordError, RecordDeserializationError
from embedkafka.model import RecordMetadata, TopicPartition
from embedkafka.record._shared import RECORD_FIELDS, Record, await_future
from embedkafka.record.compression import decompress
from embedkafka.record.format import verify_checksum

cdef extern from *:
    """
    #include <stddef.h>
    #include <stdint.h>
    #include <time.h>
    #include "structmember.h"

    static int64_t wall_clock_ms(void) {
        struct timespec now;
        timespec_get(&now, TIME_UTC);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    }
    #if defined(__GNUC__) || defined(__clang__)
    #define EK_LIKELY(x) __builtin_expect(!!(x), 1)
    #define EK_UNLIKELY(x) __builtin_expect(!!(x), 0)
    #else
    #define EK_LIKELY(x) (x)
    #define EK_UNLIKELY(x) (x)
    #endif
    """
    int64_t wall_clock_ms() noexcept nogil
    bint likely "EK_LIKELY"(bint) noexcept nogil
    bint unlikely "EK_UNLIKELY"(bint) noexcept nogil
    ctypedef struct PyMemberDef:
        const char *name
        int type
        Py_ssize_t offset
        int flags
        const char *doc
    int T_OBJECT_EX
    int T_INT
    int READONLY
    object PyDescr_NewMember(PyTypeObject *type, PyMemberDef *member)
    PyObject *PyDict_GetItemWithError(PyObject *mapping, PyObject *key) except? NULL
    void PyType_Modified(PyTypeObject *type)
    PyTypeObject *type_of "Py_TYPE"(PyObject *thing) noexcept

cdef extern from "Python.h":
    PyObject *new_int "PyLong_FromLongLong"(long long value) except NULL
    PyObject *new_bytes "PyBytes_FromStringAndSize"(const char *data, Py_ssize_t size) except NULL
    PyTypeObject PyBytes_Type
    PyTypeObject PyUnicode_Type
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL
    object read_only_view "PyMemoryView_FromMemory"(char *memory, Py_ssize_t size, int flags)
    int PyBUF_READ


cdef object crc32c = None


cdef inline uint32_t checksum(const uint8_t *at, Py_ssize_t size) except? 0:
    """CRC-32C of these bytes; the package takes 15 ms to import, so that happens at the first checksum."""
    global crc32c
    if crc32c is None:
        from crc32c import crc32c as implementation

        crc32c = implementation
    return crc32c(read_only_view(<char *>at, size, PyBUF_READ))


# Numbers and hashes ---------------------------------------------------------------------------------------------------


cdef inline uint64_t zigzag(int64_t value) noexcept nogil:
    return (<uint64_t>value << 1) ^ <uint64_t>(value >> 63)


cdef inline int varint_size(uint64_t value) noexcept nogil:
    cdef int size = 1
    while value > 0x7F:
        value >>= 7
        size += 1
    return size


cdef inline uint8_t *put_varint(uint8_t *at, uint64_t value) noexcept nogil:
    while value > 0x7F:
        at[0] = <uint8_t>(value | 0x80)
        at += 1
        value >>= 7
    at[0] = <uint8_t>value
    return at + 1


cdef inline const uint8_t *get_varint(const uint8_t *at, const uint8_t *end, int64_t *out) noexcept nogil:
    """Read a number; NULL when it does not end before ``end`` or takes more than ten bytes."""
    cdef uint64_t value
    cdef uint64_t byte
    cdef int shift = 7
    if unlikely(at >= end):
        return NULL
    value = at[0]
    at += 1
    if unlikely(value > 0x7F):
        value &= 0x7F
        while True:
            if at >= end or shift > 63:
                return NULL
            byte = at[0]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte <= 0x7F:
                break
            shift += 7
    out[0] = <int64_t>(value >> 1) ^ -<int64_t>(value & 1)
    return at


cdef inline uint8_t *put_be(uint8_t *at, uint64_t value, int size) noexcept nogil:
    cdef int index
    for index in range(size):
        at[index] = <uint8_t>(value >> (8 * (size - 1 - index)))
    return at + size


cdef inline int64_t get_be(const uint8_t *at, int size) noexcept nogil:
    cdef uint64_t value = 0
    cdef int index
    for index in range(size):
        value = (value << 8) | at[index]
    # Sign extension of what is narrower than 64 bits.
    return <int64_t>(value << (64 - 8 * size)) >> (64 - 8 * size)


cdef inline uint32_t hash_key(const uint8_t *data, Py_ssize_t length) noexcept nogil:
    cdef uint32_t hashed = <uint32_t>0x9747B28C ^ <uint32_t>length
    cdef uint32_t k
    cdef Py_ssize_t at = 0
    while length - at >= 4:
        k = data[at] | <uint32_t>data[at + 1] << 8 | <uint32_t>data[at + 2] << 16 | <uint32_t>data[at + 3] << 24
        k *= <uint32_t>0x5BD1E995
        k ^= k >> 24
        k *= <uint32_t>0x5BD1E995
        hashed *= <uint32_t>0x5BD1E995
        hashed ^= k
        at += 4
    if length - at >= 3:
        hashed ^= <uint32_t>data[at + 2] << 16
    if length - at >= 2:
        hashed ^= <uint32_t>data[at + 1] << 8
    if length - at >= 1:
        hashed ^= data[at]
        hashed *= <uint32_t>0x5BD1E995
    hashed ^= hashed >> 13
    hashed *= <uint32_t>0x5BD1E995
    hashed ^= hashed >> 15
    return hashed


def murmur2(data) -> int:
    """Kafka's 32-bit MurmurHash2, as a signed number (``org.apache.kafka.common.utils.Utils.murmur2``)."""
    cdef Py_buffer view
    cdef int32_t hashed
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        hashed = <int32_t>hash_key(<const uint8_t *>view.buf, view.len)
    finally:
        PyBuffer_Release(&view)
    return hashed


# Headers of a record --------------------------------------------------------------------------------------------------


cdef bytes encode_headers(headers, int32_t *content_size):
    """The headers' part of a record, count included; ``content_size`` is kafka-python's serialized_header_size."""
    cdef bytearray out = bytearray()
    cdef Py_ssize_t size
    cdef int32_t total = 0
    cdef uint8_t number[10]
    cdef const char *text
    if not isinstance(headers, (list, tuple)):
        raise TypeError(f"headers must be a list of (str, bytes) tuples, not {type(headers).__name__}")
    out += number[:put_varint(number, zigzag(len(headers))) - number]
    for item in headers:
        if not isinstance(item, tuple) or len(item) != 2:
            raise TypeError(f"a header is a tuple of str and bytes, not {item!r}")
        name, content = item
        if not isinstance(name, str) or not (content is None or isinstance(content, (bytes, bytearray, memoryview))):
            raise TypeError(f"a header is a tuple of str and bytes, not {item!r}")
        text = PyUnicode_AsUTF8AndSize(name, &size)
        out += number[:put_varint(number, zigzag(size)) - number]
        out += text[:size]
        total += <int32_t>size
        if content is None:
            out += b"\x01"
        else:
            content = bytes(content)
            size = PyBytes_GET_SIZE(content)
            out += number[:put_varint(number, zigzag(size)) - number]
            out += content
            total += <int32_t>size
    content_size[0] = total if headers else -1
    return bytes(out)


cdef object corrupt(const uint8_t *start, const uint8_t *at):
    return CorruptRecordError(f"a record breaks its format {at - start} bytes after its start")


cdef const uint8_t *decode_headers(
    const uint8_t *start, const uint8_t *at, const uint8_t *end, list out, int32_t *content_size
) except NULL:
    """Read a record's headers, the count first, into ``out``; the position behind them."""
    cdef int64_t count = 0
    cdef int64_t size = 0
    cdef const uint8_t *name_at
    cdef int64_t name_size
    cdef int32_t total = 0
    cdef bytes raw
    at = get_varint(at, end, &count)
    if at is NULL or count < 0 or count > end - at:
        raise corrupt(start, start)
    while count > 0:
        at = get_varint(at, end, &size)
        if at is NULL or size < 0 or size > end - at:
            raise corrupt(start, start)
        name_at = at
        name_size = size
        at = get_varint(at + size, end, &size)
        if at is NULL or size > end - at:
            raise corrupt(start, start)
        try:
            name = PyUnicode_DecodeUTF8(<const char *>name_at, name_size, NULL)
        except UnicodeDecodeError as error:
            raise CorruptRecordError(f"a header's name is not UTF-8: {name_at[:name_size]!r}") from error
        total += <int32_t>name_size
        if size < 0:
            out.append((name, None))
        else:
            raw = PyBytes_FromStringAndSize(<const char *>at, size)
            out.append((name, raw))
            at += size
            total += <int32_t>size
        count -= 1
    content_size[0] = total if out else -1
    return at


# Records as internal readers and writers see them ---------------------------------------------------------------------


def encode_records(bytearray out not None, records, offsets, base_offset, base_timestamp):
    """Append records to ``out``; arguments and result as in ``_codec_py.encode_records``."""
    cdef OpenBatch batch = OpenBatch.__new__(OpenBatch)
    cdef int64_t first_offset = 0 if base_offset is None else base_offset
    cdef int64_t first_timestamp = -1 if base_timestamp is None else base_timestamp
    cdef bint has_base_offset = base_offset is not None
    cdef bint has_base_timestamp = base_timestamp is not None
    cdef int64_t last_offset = first_offset - 1 if has_base_offset else -1
    cdef int64_t max_timestamp = -1
    cdef int64_t offset
    cdef int64_t timestamp
    cdef int32_t count = 0
    cdef int32_t header_size
    cdef bytes encoded_headers
    cdef Py_ssize_t needed
    given = None if offsets is None else iter(offsets)
    batch.buffer = out
    batch.size = batch.capacity = len(out)
    batch.limit = PY_SSIZE_T_MAX
    for stamp, key, value, headers in records:
        timestamp = stamp
        if key is not None and type(key) is not bytes:
            key = bytes(key)
        if value is not None and type(value) is not bytes:
            value = bytes(value)
        encoded_headers = encode_headers(headers, &header_size) if headers else None
        offset = last_offset + 1 if given is None else next(given)
        if not has_base_offset:
            first_offset = offset
            has_base_offset = True
        if not has_base_timestamp:
            first_timestamp = timestamp
            has_base_timestamp = True
        batch.write(
            <PyObject *>key, <PyObject *>value, encoded_headers, timestamp - first_timestamp, offset - first_offset
        )
        if timestamp > max_timestamp:
            max_timestamp = timestamp
        last_offset = offset
        count += 1
    needed = batch.size
    batch.buffer = None
    PyByteArray_Resize(out, needed)
    return count, first_offset, last_offset, first_timestamp, max_timestamp


cdef Py_ssize_t PY_SSIZE_T_MAX = <Py_ssize_t>((<size_t>-1) >> 1)


cdef struct RawRecord:
    int64_t timestamp_delta
    int64_t offset_delta
    const uint8_t *key
    int64_t key_size
    const uint8_t *value
    int64_t value_size
    const uint8_t *headers
    const uint8_t *end


cdef inline int parse_record(const uint8_t *at, const uint8_t *end, RawRecord *record) except -1:
    """Find a record's parts without copying them; its headers are left at ``record.headers``."""
    cdef const uint8_t *start = at
    cdef const uint8_t *record_end
    cdef int64_t length = 0
    at = get_varint(at, end, &length)
    if unlikely(at is NULL or length < 1 or length > end - at):
        raise corrupt(start, start)
    record_end = at + length
    at = get_varint(at + 1, record_end, &record.timestamp_delta)  # after the attributes, which have no use
    if likely(at is not NULL):
        at = get_varint(at, record_end, &record.offset_delta)
    if likely(at is not NULL):
        at = get_varint(at, record_end, &record.key_size)
    if unlikely(at is NULL or record.key_size > record_end - at):
        raise corrupt(start, start)
    record.key = at
    if record.key_size > 0:
        at += record.key_size
    at = get_varint(at, record_end, &record.value_size)
    if unlikely(at is NULL or record.value_size > record_end - at):
        raise corrupt(start, start)
    record.value = at
    if record.value_size > 0:
        at += record.value_size
    if unlikely(at >= record_end):
        raise corrupt(start, start)
    record.headers = at
    record.end = record_end
    if likely(at[0] == 0):
        if unlikely(at + 1 != record_end):
            raise corrupt(start, at)
    return 0


def decode_records(buffer, Py_ssize_t position, int32_t count, int64_t base_offset, int64_t base_timestamp, append_time):
    """Read records; arguments, result and errors as in ``_codec_py.decode_records``."""
    cdef Py_buffer view
    cdef const uint8_t *at
    cdef const uint8_t *end
    cdef RawRecord raw
    cdef int32_t header_size
    cdef list records = []
    cdef list headers
    timestamp_type = 0 if append_time is None else 1
    PyObject_GetBuffer(buffer, &view, PyBUF_SIMPLE)
    try:
        at = <const uint8_t *>view.buf + position
        end = <const uint8_t *>view.buf + view.len
        while count > 0:
            parse_record(at, end, &raw)
            headers = []
            if raw.headers[0] != 0 and decode_headers(at, raw.headers, raw.end, headers, &header_size) != raw.end:
                raise corrupt(at, raw.headers)
            records.append(
                Record(
                    base_offset + raw.offset_delta,
                    base_timestamp + raw.timestamp_delta if append_time is None else append_time,
                    timestamp_type,
                    None if raw.key_size < 0 else raw.key[:raw.key_size],
                    None if raw.value_size < 0 else raw.value[:raw.value_size],
                    headers,
                )
            )
            at = raw.end
            count -= 1
        if at != end:
            raise CorruptRecordError(f"{end - at} bytes are left after the last of {len(records)} records")
    finally:
        PyBuffer_Release(&view)
    return records


def survey_records(buffer, int32_t count, int64_t base_timestamp):
    """Look at records without decoding them; arguments, result and errors as in ``_codec_py.survey_records``."""
    cdef Py_buffer view
    cdef const uint8_t *at
    cdef const uint8_t *end
    cdef RawRecord raw
    cdef int32_t header_size
    cdef int64_t timestamp
    cdef int64_t largest = -1
    cdef int64_t smallest = INT64_MAX
    cdef bint consecutive = True
    cdef bint keyed = True
    cdef int32_t index
    PyObject_GetBuffer(buffer, &view, PyBUF_SIMPLE)
    try:
        at = <const uint8_t *>view.buf
        end = at + view.len
        for index in range(count):
            parse_record(at, end, &raw)
            if unlikely(raw.headers[0] != 0):
                if decode_headers(at, raw.headers, raw.end, [], &header_size) != raw.end:
                    raise corrupt(at, raw.headers)
            if unlikely(raw.offset_delta != index):
                consecutive = False
            if raw.key_size < 0:
                keyed = False
            timestamp = base_timestamp + raw.timestamp_delta
            if timestamp > largest:
                largest = timestamp
            if timestamp < smallest and timestamp != -1:
                smallest = timestamp
            at = raw.end
        if at != end:
            raise CorruptRecordError(f"{end - at} bytes are left after the last of {count} records")
    finally:
        PyBuffer_Release(&view)
    return largest, smallest, consecutive, keyed


# The consumer's record ------------------------------------------------------------------------------------------------


@cython.final
@cython.no_gc
@cython.freelist(1024)
cdef class ConsumerRecord:
    """A record as a consumer gets it, with the thirteen fields of kafka-python's named tuple.

    It unpacks, indexes, compares, hashes and pickles like that tuple.  It has no place in the garbage collector: a value
    that refers back to its own record is never freed.
    """

    # Owned references; NULL only in a record under construction, and for headers that nobody asked for yet.
    cdef PyObject *_topic
    cdef PyObject *_partition
    cdef PyObject *_offset
    cdef PyObject *_timestamp
    cdef PyObject *_key
    cdef PyObject *_value
    cdef PyObject *_headers
    cdef PyObject *_checksum
    cdef int32_t _leader_epoch
    cdef int32_t _timestamp_type
    cdef int32_t _key_size
    cdef int32_t _value_size
    cdef int32_t _header_size
    cdef int32_t _delivery_count  # 0: not delivered by a share group

    def __init__(
        self, topic, partition, leader_epoch, offset, timestamp, timestamp_type, key, value, headers, checksum,
        serialized_key_size, serialized_value_size, serialized_header_size
    ):
        if self._topic is not NULL:
            raise TypeError("a ConsumerRecord does not change")
        self._leader_epoch = leader_epoch
        self._timestamp_type = timestamp_type
        self._key_size = serialized_key_size
        self._value_size = serialized_value_size
        self._header_size = serialized_header_size
        self._topic = own(topic)
        self._partition = own(partition)
        self._offset = own(offset)
        self._timestamp = own(timestamp)
        self._key = own(key)
        self._value = own(value)
        self._headers = own(headers)
        self._checksum = own(checksum)

    def __dealloc__(self):
        Py_XDECREF(self._topic)
        Py_XDECREF(self._partition)
        Py_XDECREF(self._offset)
        Py_XDECREF(self._timestamp)
        Py_XDECREF(self._key)
        Py_XDECREF(self._value)
        Py_XDECREF(self._headers)
        Py_XDECREF(self._checksum)

    @property
    def headers(self):
        """Pairs of name and bytes (or None), as a list."""
        if self._headers is NULL:
            self._headers = own([])
        return <object>self._headers

    @property
    def checksum(self):
        """None: format v2 has a checksum for the batch, none for a record."""
        return None if self._checksum is NULL else <object>self._checksum

    @property
    def delivery_count(self):
        """How often a share group has handed out this record, this time included; None for other consumers' records."""
        return self._delivery_count or None

    cdef tuple _tuple(self):
        return tuple([getattr(self, name) for name in RECORD_FIELDS])

    def __iter__(self):
        return iter(self._tuple())

    def __len__(self):
        return len(RECORD_FIELDS)

    def __getitem__(self, index):
        return self._tuple()[index]

    def __contains__(self, thing):
        return thing in self._tuple()

    def __hash__(self):
        return hash(self._tuple())

    def __richcmp__(self, other, int operator):
        if isinstance(other, ConsumerRecord):
            other = (<ConsumerRecord>other)._tuple()
        elif not isinstance(other, tuple):
            return NotImplemented
        mine = self._tuple()
        if operator == 0:
            return mine < other
        if operator == 1:
            return mine <= other
        if operator == 2:
            return mine == other
        if operator == 3:
            return mine != other
        if operator == 4:
            return mine > other
        return mine >= other

    def __reduce__(self):
        if self._delivery_count:
            return _delivered, (self._tuple(), self._delivery_count)
        return ConsumerRecord, self._tuple()

    def __repr__(self):
        return "ConsumerRecord(" + ", ".join([f"{name}={getattr(self, name)!r}" for name in RECORD_FIELDS]) + ")"

    def count(self, value):
        """How many fields equal ``value``."""
        return self._tuple().count(value)

    def index(self, value, *bounds):
        """The number of the first field that equals ``value``."""
        return self._tuple().index(value, *bounds)

    def _asdict(self):
        """The fields by name."""
        return dict(zip(RECORD_FIELDS, self._tuple()))

    def _replace(self, **changes):
        """A copy with some fields changed."""
        fields = self._asdict()
        unknown = [name for name in changes if name not in fields]
        if unknown:
            raise ValueError(f"Got unexpected field names: {unknown!r}")
        fields.update(changes)
        return ConsumerRecord(**fields)

    @classmethod
    def _make(cls, iterable):
        """A record from thirteen values in the order of ``_fields``."""
        return cls(*iterable)


def _delivered(tuple fields, int delivery_count):
    """A share group's record from its pickle."""
    cdef ConsumerRecord record = ConsumerRecord(*fields)
    record._delivery_count = delivery_count
    return record


cdef inline PyObject *own(object thing) noexcept:
    Py_INCREF(thing)
    return <PyObject *>thing


cdef PyMemberDef record_members[11]


cdef object add_member(int at, const char *name, int kind, ConsumerRecord dummy, void *field, const char *doc):
    record_members[at].name = name
    record_members[at].type = kind
    record_members[at].offset = <char *>field - <char *><PyObject *>dummy
    record_members[at].flags = READONLY
    record_members[at].doc = doc
    cdef PyTypeObject *type_ = <PyTypeObject *>ConsumerRecord
    PyDict_SetItem(type_dict(type_), name.decode(), PyDescr_NewMember(type_, &record_members[at]))


cdef extern from *:
    """
    static PyObject *type_dict(PyTypeObject *type) { Py_INCREF(type->tp_dict); return type->tp_dict; }
    """
    object type_dict(PyTypeObject *type)


cdef describe_members():
    """Give ConsumerRecord its member descriptors, which Cython cannot declare."""
    cdef ConsumerRecord r = ConsumerRecord.__new__(ConsumerRecord)
    add_member(0, b"topic", T_OBJECT_EX, r, &r._topic, b"The topic's name.")
    add_member(1, b"partition", T_OBJECT_EX, r, &r._partition, b"The number of the partition.")
    add_member(2, b"leader_epoch", T_INT, r, &r._leader_epoch, b"The leader's epoch when it appended, or -1.")
    add_member(3, b"offset", T_OBJECT_EX, r, &r._offset, b"The position in the partition.")
    add_member(4, b"timestamp", T_OBJECT_EX, r, &r._timestamp, b"Milliseconds since the epoch, or -1.")
    add_member(5, b"timestamp_type", T_INT, r, &r._timestamp_type, b"0: set by the producer, 1: by the broker.")
    add_member(6, b"key", T_OBJECT_EX, r, &r._key, b"The deserialized key, or None.")
    add_member(7, b"value", T_OBJECT_EX, r, &r._value, b"The deserialized value, or None.")
    add_member(8, b"serialized_key_size", T_INT, r, &r._key_size, b"Bytes of the key, or -1.")
    add_member(9, b"serialized_value_size", T_INT, r, &r._value_size, b"Bytes of the value, or -1.")
    add_member(10, b"serialized_header_size", T_INT, r, &r._header_size, b"Bytes of names and values, or -1.")
    cdef PyTypeObject *type_ = <PyTypeObject *>ConsumerRecord
    PyDict_SetItem(type_dict(type_), "_fields", RECORD_FIELDS)
    PyDict_SetItem(type_dict(type_), "__match_args__", RECORD_FIELDS)
    PyType_Modified(type_)


describe_members()
Sequence.register(ConsumerRecord)


# Reading --------------------------------------------------------------------------------------------------------------

cdef enum:
    AS_BYTES = 0
    BY_CALL = 1
    BY_METHOD = 2


cdef inline int conversion(converter, str method):
    if converter is None:
        return AS_BYTES
    return BY_METHOD if hasattr(converter, method) else BY_CALL


@cython.final
cdef class RecordCursor:
    """Walks over fetched batches and makes one :class:`ConsumerRecord` at a time; see ``_cursor_py.RecordCursor``."""

    cdef list _chunks
    cdef Py_ssize_t _chunk_index
    cdef Py_ssize_t _chunk_position  # of the batch after the one at hand
    cdef object _payload  # what the records at hand lie in: the chunk, or the batch decompressed
    cdef Py_ssize_t _payload_position
    cdef Py_ssize_t _payload_end
    # Set during a call only.  A buffer that is held in between would crash CPython 3.11: when the cursor is garbage in a
    # cycle, a memoryview is cleared although somebody holds its buffer.
    cdef Py_buffer _view
    cdef bint _has_view
    cdef const uint8_t *_at
    cdef const uint8_t *_end
    cdef int32_t _remaining
    cdef bint _in_batch
    cdef int64_t _base_offset
    cdef int64_t _base_timestamp
    cdef int64_t _append_time
    cdef int64_t _next_batch_offset
    cdef int _timestamp_type
    cdef readonly int leader_epoch
    cdef readonly bint exhausted
    cdef object _topic
    cdef object _partition
    cdef object _key_deserializer
    cdef object _value_deserializer
    cdef int _key_conversion
    cdef int _value_conversion
    cdef bint _check_crcs
    cdef bint _convert
    cdef object _timestamp  # the last one made; records of one batch often share it
    cdef int64_t _timestamp_value
    cdef int64_t _last_offset  # records behind it are not handed out
    cdef int32_t _delivery_count  # of the records made, see take_acquired
    cdef readonly int64_t next_offset
    cdef readonly int64_t records_read
    cdef readonly int64_t consumed_bytes
    cdef list _aborted  # (first offset, producer id), the next one last; None: everything is read
    cdef set _aborting  # producers whose transaction at this point is an aborted one

    def __init__(
        self,
        chunks,
        topic,
        partition,
        fetch_offset,
        *,
        key_deserializer=None,
        value_deserializer=None,
        check_crcs=True,
        aborted_transactions=None,
    ):
        self._chunks = list(chunks)
        if aborted_transactions is not None:
            self._aborted = sorted(((first, producer_id) for producer_id, first in aborted_transactions), reverse=True)
            self._aborting = set()
        self._topic = topic
        self._partition = partition
        self.next_offset = fetch_offset
        self._last_offset = INT64_MAX
        self._key_conversion = conversion(key_deserializer, "deserialize")
        self._value_conversion = conversion(value_deserializer, "deserialize")
        self._key_deserializer = (
            key_deserializer.deserialize if self._key_conversion == BY_METHOD else key_deserializer
        )
        self._value_deserializer = (
            value_deserializer.deserialize if self._value_conversion == BY_METHOD else value_deserializer
        )
        self._convert = self._key_conversion != AS_BYTES or self._value_conversion != AS_BYTES
        self._check_crcs = check_crcs
        self._timestamp_value = -1
        self._timestamp = -1
        self.leader_epoch = -1

    cdef int _look(self, payload) except -1:
        """Get at the bytes of ``payload`` for the rest of this call."""
        self._look_away()
        PyObject_GetBuffer(payload, &self._view, PyBUF_SIMPLE)
        self._has_view = True
        return 0

    cdef void _look_away(self) noexcept:
        if self._has_view:
            self._has_view = False
            PyBuffer_Release(&self._view)

    cdef int _resume(self) except -1:
        if self._in_batch:
            self._look(self._payload)
            self._at = <const uint8_t *>self._view.buf + self._payload_position
            self._end = <const uint8_t *>self._view.buf + self._payload_end
        return 0

    cdef void _pause(self) noexcept:
        if self._in_batch and self._has_view:
            self._payload_position = self._at - <const uint8_t *>self._view.buf
        self._look_away()

    def close(self) -> None:
        """Let go of the fetched memory; the cursor is at its end."""
        self._remaining = 0
        self._in_batch = False
        self._payload = None
        self._chunks = []
        self._chunk_index = 0
        self.exhausted = True

    def next_record(self):
        """The next record, or None at the end."""
        self._resume()
        try:
            return self._next()
        finally:
            self._pause()

    def take(self, Py_ssize_t limit) -> list:
        """Up to ``limit`` records; stops early before a record that cannot be read, unless that is the first."""
        cdef list out = []
        cdef ConsumerRecord record
        self._resume()
        try:
            while limit > 0:
                record = self._next()
                if record is None:
                    break
                out.append(record)
                limit -= 1
        except Exception:
            if not out:
                raise
        finally:
            self._pause()
        return out

    def take_acquired(
        self, Py_ssize_t limit, int64_t first_offset, int64_t last_offset, int delivery_count
    ) -> list:
        """Up to ``limit`` records of these offsets, both included, that a share group has acquired."""
        if first_offset > self.next_offset:
            self.next_offset = first_offset
        self._last_offset = last_offset
        self._delivery_count = delivery_count
        return self.take(limit)

    cdef ConsumerRecord _next(self):
        cdef RawRecord raw
        cdef ConsumerRecord record
        cdef int64_t offset
        cdef int64_t timestamp
        while True:
            if unlikely(self._remaining <= 0):
                if not self._enter_batch():
                    return None
                continue
            parse_record(self._at, self._end, &raw)
            offset = self._base_offset + raw.offset_delta
            if unlikely(offset < self.next_offset):
                self._at = raw.end
                self._remaining -= 1
                continue
            if unlikely(offset > self._last_offset):
                return None
            timestamp = self._append_time if self._timestamp_type else self._base_timestamp + raw.timestamp_delta
            if timestamp != self._timestamp_value:
                self._timestamp = timestamp
                self._timestamp_value = timestamp
            record = ConsumerRecord.__new__(ConsumerRecord)
            record._topic = own(self._topic)
            record._partition = own(self._partition)
            record._timestamp = own(self._timestamp)
            record._offset = new_int(offset)
            record._leader_epoch = self.leader_epoch
            record._timestamp_type = self._timestamp_type
            record._key_size = <int>raw.key_size
            record._value_size = <int>raw.value_size
            record._header_size = -1
            record._delivery_count = self._delivery_count
            record._key = own(None) if raw.key_size < 0 else new_bytes(<const char *>raw.key, raw.key_size)
            record._value = own(None) if raw.value_size < 0 else new_bytes(<const char *>raw.value, raw.value_size)
            if unlikely(raw.headers[0] != 0):
                self._read_headers(record, &raw)
            if self._convert:
                self._deserialize(record)
            self.consumed_bytes += raw.end - self._at
            self.records_read += 1
            self._at = raw.end
            self._remaining -= 1
            self.next_offset = offset + 1
            return record

    cdef int _read_headers(self, ConsumerRecord record, RawRecord *raw) except -1:
        cdef list headers = []
        if decode_headers(self._at, raw.headers, raw.end, headers, &record._header_size) != raw.end:
            raise corrupt(self._at, raw.headers)
        record._headers = own(headers)
        return 0

    cdef int _deserialize(self, ConsumerRecord record) except -1:
        record._key = self._converted(record, record._key, self._key_conversion, self._key_deserializer)
        record._value = self._converted(record, record._value, self._value_conversion, self._value_deserializer)
        return 0

    cdef PyObject *_converted(self, ConsumerRecord record, PyObject *raw, int kind, converter) except NULL:
        """What the deserializer makes of ``raw``; on an error ``raw`` stays the record's, which is about to go."""
        cdef PyObject *made
        if kind == AS_BYTES:
            return raw
        try:
            if kind == BY_CALL:
                made = own(converter(<object>raw))
            else:
                made = own(converter(self._topic, record.headers, <object>raw))
        except Exception as error:
            topic_partition = TopicPartition(self._topic, self._partition)
            raise RecordDeserializationError(topic_partition, <object>record._offset, error) from error
        Py_XDECREF(raw)
        return made

    cdef bint _is_aborted(self, int64_t producer_id) except -1:
        """Whether the batch at hand, which a producer wrote in a transaction, belongs to an aborted one."""
        while self._aborted and self._aborted[len(self._aborted) - 1][0] < self._next_batch_offset:  # no wraparound
            self._aborting.add(self._aborted.pop()[1])
        return producer_id in self._aborting

    cdef int _end_transaction(self, int64_t producer_id) except -1:
        """The batch at hand is a marker: what the producer writes behind it belongs to another transaction."""
        self._is_aborted(producer_id)
        self._aborting.discard(producer_id)
        return 0

    cdef bint _enter_batch(self) except -1:
        """Go to the next batch that has something for a consumer; False at the end."""
        cdef const uint8_t *start
        cdef Py_ssize_t left
        cdef int64_t size
        cdef int attributes
        if self._in_batch:
            # A batch keeps its last offset when compaction has removed the record (KIP-58), so go behind that.
            self._in_batch = False
            self._payload = None
            if self._next_batch_offset > self.next_offset:
                self.next_offset = self._next_batch_offset
        while self._chunk_index < PyList_GET_SIZE(self._chunks):
            chunk = self._chunks[self._chunk_index]
            self._look(chunk)
            left = self._view.len - self._chunk_position
            start = <const uint8_t *>self._view.buf + self._chunk_position
            if left <= 0:
                self._chunk_index += 1
                self._chunk_position = 0
                continue
            size = <int32_t>get_be(start + 8, 4) + 12 if left >= 61 else 0
            if size < 61 or size > left or start[16] != 2:
                raise CorruptRecordError(
                    f"{self._topic}-{self._partition} at position {self._chunk_position} of the fetched bytes: expected "
                    f"a batch of magic 2 and 61 to {left} bytes, found magic {start[16] if left > 16 else -1} and {size} "
                    "bytes"
                )
            if self._check_crcs and checksum(start + 21, size - 21) != <uint32_t>get_be(start + 17, 4):
                verify_checksum(chunk, self._chunk_position)
            self._base_offset = get_be(start, 8)
            self._next_batch_offset = self._base_offset + get_be(start + 23, 4) + 1
            attributes = <int>get_be(start + 21, 2)
            if (
                self._next_batch_offset <= self.next_offset
                or attributes & 0x20
                or (self._aborted is not None and attributes & 0x10 and self._is_aborted(get_be(start + 43, 8)))
            ):  # behind us, a control batch, or of an aborted transaction
                if self._aborted is not None and attributes & 0x20:
                    self._end_transaction(get_be(start + 43, 8))
                if self._next_batch_offset > self.next_offset:
                    self.next_offset = self._next_batch_offset
                self._chunk_position += size
                continue
            self.leader_epoch = <int>get_be(start + 12, 4)
            self._base_timestamp = get_be(start + 27, 8)
            self._append_time = get_be(start + 35, 8)
            self._timestamp_type = 1 if attributes & 8 else 0
            self._remaining = <int32_t>get_be(start + 57, 4)
            self._payload = chunk
            self._payload_position = self._chunk_position + 61
            self._payload_end = self._chunk_position + size
            if attributes & 7:
                self._payload = decompress(attributes & 7, memoryview(chunk)[self._payload_position : self._payload_end])
                self._payload_position = 0
                self._payload_end = len(self._payload)
            self._chunk_position += size
            self._in_batch = True
            self._resume()
            if self._remaining <= 0:
                return self._enter_batch()
            return True
        self.exhausted = True
        return False


# Sending --------------------------------------------------------------------------------------------------------------


@cython.final
@cython.no_gc
@cython.freelist(1024)
cdef class FutureRecordMetadata:
    """What became of one sent record; kafka-python's methods.

    It holds the delivery of its whole batch and its own place in there.  Nothing exists to wait on until somebody waits.
    """

    cdef readonly object delivery
    cdef readonly int32_t batch_index
    cdef int32_t _key_size
    cdef int32_t _value_size
    cdef int32_t _header_size
    cdef int64_t _timestamp

    def __init__(self, delivery, batch_index, timestamp_ms, key_size, value_size, header_size):
        self.delivery = delivery
        self.batch_index = batch_index
        self._timestamp = timestamp_ms
        self._key_size = key_size
        self._value_size = value_size
        self._header_size = header_size

    @property
    def is_done(self):
        """Whether the record was acknowledged or has failed."""
        return self.delivery.is_done

    @property
    def exception(self):
        """Why it failed, or None."""
        return self.delivery.error

    @property
    def value(self):
        """The :class:`~embedkafka.model.RecordMetadata` once it was acknowledged, else None."""
        delivery = self.delivery
        if not delivery.is_done or delivery.error is not None:
            return None
        topic_partition = delivery.topic_partition
        base_offset = delivery.base_offset
        append_time = delivery.log_append_time_ms
        return RecordMetadata(
            topic_partition[0],
            topic_partition[1],
            topic_partition,
            base_offset + self.batch_index if base_offset >= 0 else -1,
            append_time if append_time >= 0 else self._timestamp,
            None,
            self._key_size,
            self._value_size,
            self._header_size,
        )

    def succeeded(self):
        """Whether the record was acknowledged."""
        return self.delivery.is_done and self.delivery.error is None

    def failed(self):
        """Whether it failed for good."""
        return self.delivery.is_done and self.delivery.error is not None

    def retriable(self):
        """Whether sending it again may succeed."""
        return self.delivery.is_done and bool(getattr(self.delivery.error, "retriable", False))

    def get(self, timeout=None):
        """Seal the record's batch, wait until it is acknowledged, and return its metadata.

        Args:
            timeout: seconds; None waits for ever.

        Raises:
            KafkaTimeoutError: the time is up; the record may still be acknowledged later.
            KafkaError: what the broker refused it for.
        """
        delivery = self.delivery
        if not delivery.is_done:
            delivery.wait(timeout)
        if delivery.error is not None:
            raise delivery.error
        return self.value

    def add_callback(self, f, *args, **kwargs):
        """Call ``f(*args, metadata, **kwargs)`` once the record is acknowledged; at once if it is already."""
        self.delivery.subscribe(self, functools.partial(f, *args, **kwargs) if args or kwargs else f, None)
        return self

    def add_errback(self, f, *args, **kwargs):
        """Call ``f(*args, exception, **kwargs)`` once the record has failed; at once if it already has."""
        self.delivery.subscribe(self, None, functools.partial(f, *args, **kwargs) if args or kwargs else f)
        return self

    def add_both(self, f, *args, **kwargs):
        """Call ``f`` with the metadata or with the exception, whichever comes."""
        if args or kwargs:
            f = functools.partial(f, *args, **kwargs)
        self.delivery.subscribe(self, f, f)
        return self

    def chain(self, future):
        """Pass the outcome on to ``future.success`` or ``future.failure``."""
        self.delivery.subscribe(self, future.success, future.failure)
        return self

    def __await__(self):
        return await_future(self)

    def __repr__(self):
        return f"<FutureRecordMetadata {self.delivery.topic_partition} {self.exception or self.value or 'pending'}>"


cdef class SealedBatch:
    """A batch that takes no more records, on its way to the partition's leader; the lane keeps its book here."""

    cdef readonly object delivery
    cdef readonly bytearray records
    cdef readonly int32_t records_count
    cdef readonly Py_ssize_t plain_size_bytes
    cdef readonly bint is_finished
    cdef readonly int64_t base_timestamp
    cdef readonly int64_t max_timestamp
    cdef public object reply
    cdef public bint submitting
    cdef public bint in_flight
    cdef public int attempts
    cdef public double not_before_ms
    cdef readonly int64_t producer_id
    cdef readonly int producer_epoch
    cdef readonly int32_t base_sequence
    cdef readonly bint is_transactional
    cdef public bint is_renumbered  # since it was sent

    def stamp(self, int64_t producer_id, int producer_epoch, int32_t base_sequence):
        """Give the batch another producer's identity or place among its batches; it is finished again."""
        cdef uint8_t *at
        cdef Py_ssize_t size
        self.producer_id = producer_id
        self.producer_epoch = producer_epoch
        self.base_sequence = base_sequence
        self.is_renumbered = True
        if self.is_finished:
            size = len(self.records)
            at = <uint8_t *>PyByteArray_AS_STRING(self.records)
            self.put_producer(at)
            put_be(at + 17, checksum(at + 21, size - 21), 4)

    def renew(self):
        """Go on with a copy of the bytes: those that were sent may be somebody else's now."""
        self.records = self.records[:]

    cdef inline void put_producer(self, uint8_t *at) noexcept:
        put_be(at + 43, self.producer_id, 8)
        put_be(at + 51, self.producer_epoch, 2)
        put_be(at + 53, self.base_sequence, 4)

    def finish(self, int compression_type=0, compress=None, level=None):
        """Compress the records, write the header and the checksum; does nothing the second time."""
        cdef uint8_t *at
        cdef Py_ssize_t size
        if self.is_finished:
            return
        if compression_type:
            with memoryview(self.records) as whole, whole[61:] as plain:
                compressed = compress(compression_type, plain, level)
            records = bytearray(61)
            records += compressed
            self.records = records
        size = len(self.records)
        at = <uint8_t *>PyByteArray_AS_STRING(self.records)
        put_be(at, 0, 8)
        put_be(at + 8, size - 12, 4)
        put_be(at + 12, <uint64_t>-1, 4)
        at[16] = 2
        put_be(at + 21, compression_type | (0x10 if self.is_transactional else 0), 2)
        put_be(at + 23, self.records_count - 1, 4)
        put_be(at + 27, self.base_timestamp, 8)
        put_be(at + 35, self.max_timestamp, 8)
        self.put_producer(at)
        put_be(at + 57, self.records_count, 4)
        put_be(at + 17, checksum(at + 21, size - 21), 4)
        self.is_finished = True


cdef class OpenBatch:
    """The batch a partition's records are encoded into right now; one per producer and partition.

    ``start`` opens one with its first record, ``append`` adds a record or returns None where it does not fit (or
    nothing is open), ``detach`` moves it to ``sealed``, finished unless it is to be compressed.  Each is atomic.

    ``detach`` gives the batch the producer's id and epoch and its records the next sequence numbers, which wrap after
    2**31 - 1; with a ``producer_id`` of -1 there are none.
    """

    cdef bytearray buffer
    cdef Py_ssize_t size
    cdef Py_ssize_t capacity
    cdef Py_ssize_t limit
    cdef Py_ssize_t hint
    cdef int32_t count
    cdef int64_t base_timestamp
    cdef int64_t max_timestamp
    cdef object delivery
    cdef public bint is_dirty
    cdef public int compression_type
    cdef public int64_t producer_id
    cdef public int producer_epoch
    cdef public int32_t next_sequence
    cdef public bint is_transactional
    cdef readonly list sealed

    def __cinit__(self, *args, **kwargs):
        self.sealed = []
        self.hint = 512
        self.producer_id = -1
        self.producer_epoch = -1
        self.next_sequence = -1

    @property
    def open_count(self):
        """Records in the open batch."""
        return self.count

    @property
    def open_delivery(self):
        """The open batch's delivery, or None."""
        return self.delivery

    def start(self, delivery, Py_ssize_t limit_bytes, key, value, headers, int64_t timestamp_ms):
        """Open a batch with its first record, which may be larger than ``limit_bytes``; None: one is open already."""
        cdef bytearray buffer
        cdef bytes encoded_headers = None
        cdef int32_t header_size = -1
        cdef Py_ssize_t capacity
        if self.delivery is not None:
            return None
        if headers:
            encoded_headers = encode_headers(headers, &header_size)
        if key is not None and type(key) is not bytes:
            key = bytes(key)
        if value is not None and type(value) is not bytes:
            value = bytes(value)
        capacity = max(61, min(self.hint, limit_bytes))
        buffer = PyByteArray_FromStringAndSize(NULL, capacity)
        if self.delivery is not None:
            return None
        self.buffer = buffer
        self.capacity = capacity
        self.size = 61
        self.limit = limit_bytes
        self.count = 0
        self.delivery = delivery
        try:
            return self.add(<PyObject *>key, <PyObject *>value, encoded_headers, header_size, timestamp_ms)
        except MemoryError:
            self.delivery = None
            raise

    def append(self, key, value, headers, int64_t timestamp_ms):
        """Add a record: key and value bytes or None, headers a list of pairs; the record's future, or None."""
        cdef bytes encoded_headers = None
        cdef int32_t header_size = -1
        if headers:
            encoded_headers = encode_headers(headers, &header_size)
        if key is not None and type(key) is not bytes:
            key = bytes(key)
        if value is not None and type(value) is not bytes:
            value = bytes(value)
        return self.add(<PyObject *>key, <PyObject *>value, encoded_headers, header_size, timestamp_ms)

    def detach(self) -> bool:
        """Move the open batch to the end of ``sealed``; False where none is open."""
        cdef SealedBatch batch
        if self.delivery is None:
            return False
        batch = SealedBatch.__new__(SealedBatch)
        if self.delivery is None:
            return False
        # No Python code runs from here on: list.append of a tracked object only moves memory.
        batch.records = self.buffer
        batch.delivery = self.delivery
        batch.records_count = self.count
        batch.plain_size_bytes = self.size
        batch.base_timestamp = self.base_timestamp
        batch.max_timestamp = self.max_timestamp
        batch.producer_id = self.producer_id
        batch.producer_epoch = self.producer_epoch
        batch.base_sequence = self.next_sequence
        batch.is_transactional = self.is_transactional
        if self.producer_id >= 0:
            self.next_sequence = <int32_t>((<uint32_t>self.next_sequence + <uint32_t>self.count) & 0x7FFFFFFF)
        PyByteArray_Resize(batch.records, self.size)
        self.sealed.append(batch)
        # The next batch of this partition is likely to be of the same size.
        self.hint = self.size
        self.delivery = None
        self.buffer = None
        self.size = self.capacity = 0
        self.count = 0
        if not self.compression_type:
            batch.finish()
        return True

    cdef inline FutureRecordMetadata add(
        self, PyObject *key, PyObject *value, bytes headers, int32_t header_size, int64_t timestamp
    ):
        cdef FutureRecordMetadata future
        if unlikely(self.delivery is None):
            return None
        future = FutureRecordMetadata.__new__(FutureRecordMetadata)
        if unlikely(self.count == 0):
            self.base_timestamp = self.max_timestamp = timestamp
        if unlikely(not self.write(key, value, headers, timestamp - self.base_timestamp, self.count)):
            return None
        if timestamp > self.max_timestamp:
            self.max_timestamp = timestamp
        future.delivery = self.delivery
        future.batch_index = self.count
        future._timestamp = timestamp
        future._key_size = -1 if key is <PyObject *>None else <int32_t>PyBytes_GET_SIZE(<object>key)
        future._value_size = -1 if value is <PyObject *>None else <int32_t>PyBytes_GET_SIZE(<object>value)
        future._header_size = header_size
        self.count += 1
        return future

    cdef inline bint write(
        self, PyObject *key, PyObject *value, bytes headers, int64_t timestamp_delta, int64_t offset_delta
    ) except -1:
        """Encode one record behind the others; False where it does not fit.  Key and value are bytes or None."""
        cdef uint64_t timestamp_number = zigzag(timestamp_delta)
        cdef uint64_t offset_number = zigzag(offset_delta)
        cdef Py_ssize_t key_size = -1
        cdef Py_ssize_t value_size = -1
        cdef Py_ssize_t body = 1 + varint_size(timestamp_number) + varint_size(offset_number)
        cdef Py_ssize_t needed
        cdef Py_ssize_t capacity
        cdef uint8_t *at
        if key is <PyObject *>None:
            body += 1
        else:
            key_size = PyBytes_GET_SIZE(<object>key)
            body += varint_size(zigzag(key_size)) + key_size
        if value is <PyObject *>None:
            body += 1
        else:
            value_size = PyBytes_GET_SIZE(<object>value)
            body += varint_size(zigzag(value_size)) + value_size
        body += 1 if headers is None else PyBytes_GET_SIZE(headers)
        needed = self.size + varint_size(zigzag(body)) + body
        if unlikely(needed > self.capacity):
            if needed > self.limit and self.count > 0:
                return False
            capacity = max(needed, min(self.capacity * 2, self.limit))
            PyByteArray_Resize(self.buffer, capacity)
            self.capacity = capacity
        at = <uint8_t *>PyByteArray_AS_STRING(self.buffer) + self.size
        at = put_varint(at, zigzag(body))
        at[0] = 0
        at = put_varint(at + 1, timestamp_number)
        at = put_varint(at, offset_number)
        if key_size < 0:
            at[0] = 1
            at += 1
        else:
            at = put_varint(at, zigzag(key_size))
            memcpy(at, PyBytes_AS_STRING(<object>key), key_size)
            at += key_size
        if value_size < 0:
            at[0] = 1
            at += 1
        else:
            at = put_varint(at, zigzag(value_size))
            memcpy(at, PyBytes_AS_STRING(<object>value), value_size)
            at += value_size
        if headers is None:
            at[0] = 0
        else:
            memcpy(at, PyBytes_AS_STRING(headers), PyBytes_GET_SIZE(headers))
        self.size = needed
        return True


cdef class TopicLanes:
    """A topic's lanes by partition, and where its records without a key go at the moment (KIP-794)."""

    cdef readonly tuple lanes
    cdef Py_ssize_t count
    cdef public Py_ssize_t sticky_partition
    cdef public Py_ssize_t sticky_bytes_left

    def __init__(self, lanes, Py_ssize_t sticky_partition, Py_ssize_t sticky_bytes_left):
        self.lanes = tuple(lanes)
        self.count = len(self.lanes)
        self.sticky_partition = sticky_partition
        self.sticky_bytes_left = sticky_bytes_left


cdef class SendPath:
    """What every ``send`` runs through; ``KafkaProducer`` inherits from it and does what is rare.

    The subclass fills ``_topics`` (see ``_set_topic``), sets ``_detour`` while every record needs the long way
    (interceptors, a custom partitioner, closed), and implements:

    * ``_send_rare(topic, value, key, headers, partition, timestamp_ms)``: the whole send, from the arguments on;
    * ``_encoded_rare(lanes, topic, key, value, headers, partition, timestamp_ms)``: key and value are serialized, but are
      of other types than bytes, or the partition is still to be chosen;
    * ``_append_rare(lane, key, value, headers, timestamp_ms)``: the lane has no open batch, or the record does not fit.

    Each returns the record's future.
    """

    cdef dict _topics
    cdef object _last_topic
    cdef TopicLanes _last_lanes
    cdef public bint _detour
    cdef object _now_ms
    cdef object _key_serializer
    cdef object _value_serializer
    cdef int _key_conversion
    cdef int _value_conversion

    def __cinit__(self, *args, **kwargs):
        self._topics = {}
        self._detour = True

    def _init_path(self, clock, key_serializer, value_serializer):
        """Where the time comes from, and how keys and values become bytes: a callable, a Serializer or None."""
        self._now_ms = clock.now_ms if clock.is_manual else None
        self._key_conversion = conversion(key_serializer, "serialize")
        self._value_conversion = conversion(value_serializer, "serialize")
        self._key_serializer = key_serializer.serialize if self._key_conversion == BY_METHOD else key_serializer
        self._value_serializer = value_serializer.serialize if self._value_conversion == BY_METHOD else value_serializer

    def _set_topic(self, str topic not None, TopicLanes lanes):
        """Send the topic's records through these lanes; None forgets the topic."""
        self._last_topic = None
        self._last_lanes = None
        if lanes is None:
            self._topics.pop(topic, None)
        else:
            self._topics[topic] = lanes

    def _topic_lanes(self, topic):
        """The topic's lanes, or None."""
        return self._topics.get(topic)

    def _serialize(self, topic, headers, key, value):
        """Key and value as their serializers give them."""
        return (
            serialized(self._key_conversion, self._key_serializer, topic, headers, key),
            serialized(self._value_conversion, self._value_serializer, topic, headers, value),
        )

    def _timestamp_now_ms(self):
        """The wall clock, milliseconds since the epoch."""
        return wall_clock_ms() if self._now_ms is None else self._now_ms()

    def send(self, topic, value=None, key=None, headers=None, partition=None, timestamp_ms=None):
        """Encode a record into its partition's open batch and return at once; its future tells what became of it.

        Args:
            topic: where it goes; or a ``ProducerRecord`` in place of all arguments.
            value: what the value serializer takes, bytes without one; None is a tombstone and needs a key.
            key: what the key serializer takes, bytes without one; equal keys go to one partition.
            headers: a list of (str, bytes) tuples.
            partition: from 0 on; None lets the partitioner choose.
            timestamp_ms: milliseconds since the epoch; None is now.

        Raises:
            KafkaTimeoutError: no such topic appeared, or no buffer memory came free, within ``max_block_ms``.
            MessageSizeTooLargeError: it is larger than ``max_request_size`` or ``buffer_memory``.
            TypeError: not bytes after its serializer, or an argument of another wrong type.
            ValueError: neither key nor value, an illegal topic name, or a partition that the topic does not have.
            IllegalStateError: the producer or its engine is closed.

        What the broker refuses a record for is raised by the future.
        """
        cdef TopicLanes lanes
        cdef OpenBatch lane
        cdef PyObject *found
        cdef Py_ssize_t index
        cdef int64_t timestamp
        cdef int overflow
        cdef FutureRecordMetadata future
        if unlikely(self._detour or headers is not None or (value is None and key is None)):
            return self._send_rare(topic, value, key, headers, partition, timestamp_ms)
        if likely(topic is self._last_topic and topic is not None):
            lanes = self._last_lanes
        else:
            if type(topic) is not str:
                return self._send_rare(topic, value, key, headers, partition, timestamp_ms)
            found = PyDict_GetItemWithError(<PyObject *>self._topics, <PyObject *>topic)
            if found is NULL:
                return self._send_rare(topic, value, key, headers, partition, timestamp_ms)
            lanes = <TopicLanes><object>found
            self._last_topic = topic
            self._last_lanes = lanes
        if self._key_conversion != AS_BYTES:
            key = serialized(self._key_conversion, self._key_serializer, topic, None, key)
        if self._value_conversion != AS_BYTES:
            value = serialized(self._value_conversion, self._value_serializer, topic, None, value)
        if unlikely(
            (key is not None and type(key) is not bytes) or (value is not None and type(value) is not bytes)
        ):
            return self._encoded_rare(lanes, topic, key, value, headers, partition, timestamp_ms)
        if partition is not None:
            if type(partition) is not int:
                return self._encoded_rare(lanes, topic, key, value, headers, partition, timestamp_ms)
            index = partition
            if index < 0 or index >= lanes.count:
                return self._encoded_rare(lanes, topic, key, value, headers, partition, timestamp_ms)
        elif likely(key is not None):
            index = (hash_key(<const uint8_t *>PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key)) & 0x7FFFFFFF) % lanes.count
        else:
            if value is None or lanes.sticky_bytes_left <= 0:
                return self._encoded_rare(lanes, topic, key, value, headers, partition, timestamp_ms)
            index = lanes.sticky_partition
            lanes.sticky_bytes_left -= PyBytes_GET_SIZE(value)
        if timestamp_ms is None:
            timestamp = wall_clock_ms() if likely(self._now_ms is None) else self._now_ms()
        else:
            overflow = 0
            timestamp = PyLong_AsLongLongAndOverflow(timestamp_ms, &overflow) if type(timestamp_ms) is int else -1
            if timestamp < 0:  # so is what does not fit
                return self._encoded_rare(lanes, topic, key, value, headers, partition, timestamp_ms)
        lane = <OpenBatch><object>PyTuple_GET_ITEM(lanes.lanes, index)
        if likely(lane.is_dirty):
            future = lane.add(<PyObject *>key, <PyObject *>value, None, -1, timestamp)
            if likely(future is not None):
                return future
        return self._append_rare(lane, key, value, headers, timestamp)


cdef object serialized(int kind, serializer, topic, headers, data):
    if kind == AS_BYTES:
        return data
    if kind == BY_CALL:
        return serializer(data)
    return serializer(topic, [] if headers is None else headers, data)
