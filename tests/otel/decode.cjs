// decode.cjs SIGNAL FORMAT FILE: a payload as OpenTelemetry's own generated code
// reads it, printed as JSON; ids in hex, 64-bit integers as strings
const fs = require('fs')
const { opentelemetry: { proto } } = require('@opentelemetry/otlp-transformer/build/src/generated/root.js')

const [signal, format, file] = process.argv.slice(2)
const name = { traces: ['trace', 'Trace'], metrics: ['metrics', 'Metrics'], logs: ['logs', 'Logs'] }[signal]
const Request = proto.collector[name[0]].v1[`Export${name[1]}ServiceRequest`]
const isId = k => ['traceId', 'spanId', 'parentSpanId'].includes(k)

// JSON has ids in hex; the generated code takes base64
const fromJSON = (o, k) => Array.isArray(o) ? o.map(v => fromJSON(v))
  : o && typeof o === 'object' ? Object.fromEntries(Object.entries(o).map(([k, v]) => [k, fromJSON(v, k)]))
    : isId(k) ? Buffer.from(o, 'hex').toString('base64') : o

const bytes = fs.readFileSync(file)
let message
if (format === 'json') {
  const object = fromJSON(JSON.parse(bytes))
  message = Request.decode(Request.encode(Request.fromObject(object)).finish())
} else {
  message = Request.decode(bytes)
}
const wrong = Request.verify(message)
if (wrong) throw new Error(wrong)
const plain = Request.toObject(message, { longs: String, bytes: String })
const hex = (o, k) => Array.isArray(o) ? o.map(v => hex(v))
  : o && typeof o === 'object' ? Object.fromEntries(Object.entries(o).map(([k, v]) => [k, hex(v, k)]))
    : isId(k) ? Buffer.from(o, 'base64').toString('hex') : o
process.stdout.write(JSON.stringify(hex(plain)))
