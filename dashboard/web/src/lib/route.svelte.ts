/** Pages, by role. The first is where a role begins. */
export const pagesOf: Record<string, string[]> = {
  committee: ['now', 'alarms', 'incidents', 'notices'],
  officer: ['desk', 'incidents', 'notices', 'now'],
  installer: ['sensors', 'now', 'alarms'],
}

const read = () => location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent)

/** Route is the address after the #: a page and what it shows. It outlives reload and login. */
class Route {
  parts = $state.raw(read())
  constructor() { addEventListener('hashchange', () => (this.parts = read())) }

  /** page is the one asked for if the role may see it, else the role's first. */
  page(role: string): string {
    const pages = pagesOf[role] ?? pagesOf.installer
    return pages.includes(this.parts[0]) ? this.parts[0] : pages[0]
  }
  /** rest names what a page shows. */
  rest(role: string): string[] { return this.page(role) === this.parts[0] ? this.parts.slice(1) : [] }
}

export const route = new Route()
export const href = (...parts: string[]) => '#/' + parts.map(encodeURIComponent).join('/')
