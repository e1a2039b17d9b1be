// Draws ratios as horizontal bars on a logarithmic axis, where the middle line is what is compared with; and figures as lines on two.

const rowHeight = 26
const labelWidth = 230
const plotWidth = 520
const valueWidth = 80
const ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]

/** The SVG of `bars`, each { group, name, ratio }: above 1 odradek is ahead of `other`. Readable on light and on dark. */
export function drawRatios(bars, title, other = 'Apache Kafka') {
  const ratios = bars.map(bar => bar.ratio)
  const low = ticks.findLast(tick => tick <= Math.min(0.5, ...ratios)) ?? ticks[0]
  const high = ticks.find(tick => tick >= Math.max(2, ...ratios)) ?? ticks.at(-1)
  const x = ratio => {
    const bounded = Math.min(Math.max(ratio, low), high)
    return labelWidth + (plotWidth * Math.log(bounded / low)) / Math.log(high / low)
  }
  const width = labelWidth + plotWidth + valueWidth
  const isFirst = bars.map((bar, index) => bar.group !== bars[index - 1]?.group)
  const bottom = 48 + (bars.length + isFirst.filter(Boolean).length) * rowHeight
  const grid = ticks
    .filter(tick => tick >= low && tick <= high)
    .map(
      tick => `<line class="${tick === 1 ? 'one' : 'grid'}" x1="${at(x(tick))}" x2="${at(x(tick))}" y1="44" y2="${bottom}"/>
<text class="tick" x="${at(x(tick))}" y="${bottom + 18}" text-anchor="middle">${tick === 1 ? other : `${tick}x`}</text>`,
    )
  let y = 48 - rowHeight
  const rows = bars.map((bar, index) => {
    const heading = isFirst[index] ? `${group(bar.group, (y += rowHeight))}\n` : ''
    y += rowHeight
    const from = Math.min(x(1), x(bar.ratio))
    const to = Math.max(x(1), x(bar.ratio))
    return `${heading}<text class="name" x="${labelWidth - 12}" y="${y + 17}" text-anchor="end">${escape(bar.name)}</text>
<rect class="${bar.ratio >= 1 ? 'ahead' : 'behind'}" x="${at(from)}" y="${y + 4}" width="${at(to - from)}" height="${rowHeight - 8}" rx="2"/>
<text class="value" x="${at(to + 6)}" y="${y + 17}">${bar.ratio.toFixed(2)}x</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 30}" width="${width}" height="${bottom + 30}" font-family="system-ui, sans-serif" font-size="13" role="img">
<title>${escape(title)}</title>
<style>
text { fill: #1f2328 } .tick, .value { fill: #59636e; font-size: 12px } .title { font-size: 15px; font-weight: 600 }
.group { font-weight: 600 }
.grid { stroke: #d1d9e0 } .one { stroke: #59636e; stroke-width: 1.5 } .ahead { fill: #2a7f62 } .behind { fill: #c4692f }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .tick, .value { fill: #9198a1 } .grid { stroke: #3d444d } .one { stroke: #9198a1 }
.ahead { fill: #3fae88 } .behind { fill: #e08a50 }
}
</style>
<text class="title" x="12" y="26">${escape(title)}</text>
${grid.join('\n')}
${rows.join('\n')}
</svg>
`
}

const panelWidth = 300
const panelHeight = 240
const panelMargin = 64
const lineColors = ['#c4692f', '#6b7fd7', '#2a7f62']
// What lies under the last line is seen through it.
const lineDashes = ['none', 'none', '7 5']

/**
 * The SVG of `panels` side by side, each { title, lines: [{ name, points: [{ x, y }] }] }, on logarithmic axes; all have the same
 * names and the same x.
 */
export function drawLines(panels, title) {
  const [{ lines }] = panels
  const xs = lines[0].points.map(({ x }) => x)
  const width = panels.length * (panelMargin + panelWidth) + 24
  const height = 76 + panelHeight + 28 + 22 * lines.length
  const x = value => (panelWidth * Math.log(value / xs[0])) / Math.log(xs.at(-1) / xs[0])
  const drawn = panels.map((panel, index) => {
    const values = panel.lines.flatMap(({ points }) => points.map(({ y }) => y))
    const low = 10 ** Math.floor(Math.log10(Math.min(...values)))
    const high = 10 ** Math.ceil(Math.log10(Math.max(...values)))
    const y = value => panelHeight * (1 - Math.log(value / low) / Math.log(high / low))
    const decades = Array.from({ length: Math.round(Math.log10(high / low)) + 1 }, (_, at) => low * 10 ** at)
    const grid = decades.map(
      value => `<line class="grid" x1="0" x2="${panelWidth}" y1="${at(y(value))}" y2="${at(y(value))}"/>
<text class="tick" x="-8" y="${at(y(value) + 4)}" text-anchor="end">${value.toLocaleString('en')}</text>`,
    )
    const ticks = xs.map(
      value =>
        `<text class="tick" x="${at(x(value))}" y="${panelHeight + 18}" text-anchor="middle">${value.toLocaleString('en')}</text>`,
    )
    const curves = panel.lines.map(({ points }, which) => {
      const places = points.map(point => `${at(x(point.x))},${at(y(point.y))}`)
      const dots = points.map(point => `<circle cx="${at(x(point.x))}" cy="${at(y(point.y))}" r="3.5"/>`)
      return `<g fill="${lineColors[which]}"><polyline fill="none" stroke="${lineColors[which]}" stroke-width="2" stroke-dasharray="${lineDashes[which]}" points="${places.join(' ')}"/>${dots.join('')}</g>`
    })
    return `<g transform="translate(${panelMargin + index * (panelMargin + panelWidth)} 76)">
<text class="group" x="0" y="-16">${escape(panel.title)}</text>
${[...grid, ...ticks, ...curves].join('\n')}
</g>`
  })
  const legend = lines.map(({ name }, which) => {
    const y = 76 + panelHeight + 44 + 22 * which
    return `<rect x="${panelMargin}" y="${y - 9}" width="18" height="4" fill="${lineColors[which]}"/><text x="${panelMargin + 26}" y="${y - 2}">${escape(name)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="13" role="img">
<title>${escape(title)}</title>
<style>
text { fill: #1f2328 } .tick { fill: #59636e; font-size: 12px } .title { font-size: 15px; font-weight: 600 }
.group { font-weight: 600 } .grid { stroke: #d1d9e0 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .tick { fill: #9198a1 } .grid { stroke: #3d444d }
}
</style>
<text class="title" x="12" y="26">${escape(title)}</text>
${[...drawn, ...legend].join('\n')}
</svg>
`
}

function group(name, y) {
  return `<text class="group" x="12" y="${y + 17}">${escape(name)}</text>`
}

function at(number) {
  return number.toFixed(1)
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
