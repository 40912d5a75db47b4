import type { en } from './en'

/**
 * Messages is every text of the page. Every language has exactly the keys of
 * the English one, in its lists of words too: a missing one does not build.
 */
export type Messages = typeof en
