// send.cjs URL < SPAN: sends a span that says the same through OpenTelemetry's SDK
const { trace, ROOT_CONTEXT, TraceFlags } = require('@opentelemetry/api')
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto')
const { resourceFromAttributes } = require('@opentelemetry/resources')
const { BasicTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base')

const s = JSON.parse(require('fs').readFileSync(0))
const time = ns => [Number(BigInt(ns) / 1000000000n), Number(BigInt(ns) % 1000000000n)]
const context = spanId => ({ traceId: s.traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true })
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes(s.resource),
  idGenerator: { generateTraceId: () => s.traceId, generateSpanId: () => s.spanId },
  spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: process.argv[2] }))]
})
const parent = trace.setSpanContext(ROOT_CONTEXT, context(s.parentSpanId))
const span = provider.getTracer('agentsight', s.version, { schemaUrl: s.schemaUrl }).startSpan(s.name, {
  kind: s.kind - 1, attributes: s.attributes, startTime: time(s.startTimeUnixNano),
  links: (s.links || []).map(l => ({ context: context(l.spanId) }))
}, parent)
for (const e of s.events || []) span.addEvent(e.name, undefined, time(e.timeUnixNano))
if (s.status) span.setStatus(s.status)
span.end(time(s.endTimeUnixNano))
provider.forceFlush().then(() => provider.shutdown())
