// Vite empties dist; the committed marker keeps `go vet` working on a clean clone.
import { writeFileSync } from 'node:fs'
writeFileSync(new URL('dist/.gitkeep', import.meta.url), '')
