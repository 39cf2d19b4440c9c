/** Keys pressed one by one, as `g b`; shown on the sheet that `?` opens. */
export interface Shortcut {
  keys: string;
  does: string;
  group: 'Everywhere' | 'Go to' | 'Lists' | 'A record';
}

export const shortcuts: Shortcut[] = [
  { keys: 'mod+k', does: 'Search and run commands', group: 'Everywhere' },
  { keys: '/', does: 'Search this list', group: 'Everywhere' },
  { keys: '?', does: 'Show this sheet', group: 'Everywhere' },
  { keys: '.', does: 'Pause or resume live updates', group: 'Everywhere' },
  { keys: 'y', does: 'Copy the link to this view', group: 'Everywhere' },
  { keys: 'Escape', does: 'Close, clear the selection', group: 'Everywhere' },
  { keys: 'j', does: 'Next row', group: 'Lists' },
  { keys: 'k', does: 'Previous row', group: 'Lists' },
  { keys: 'Enter', does: 'Open the row', group: 'Lists' },
  { keys: 'm', does: 'Open the menu of the row, in the list of batches', group: 'Lists' },
  { keys: 'Space', does: 'Peek at the row', group: 'Lists' },
  { keys: 'x', does: 'Select the row', group: 'Lists' },
  { keys: 'X', does: 'Select up to the row', group: 'Lists' },
  { keys: 'e', does: 'Expand the row', group: 'Lists' },
  { keys: '[', does: 'Previous record', group: 'A record' },
  { keys: ']', does: 'Next record', group: 'A record' },
  { keys: 'c', does: 'Cancel', group: 'A record' },
  { keys: 'r', does: 'Retry what failed', group: 'A record' },
];

const disabledKey = 'sluice-shortcuts-off';

/** Single keys can be switched off, for those whose software types them (WCAG 2.1.4). */
export const singleKeys = {
  on: (): boolean => localStorage.getItem(disabledKey) !== '1',
  set: (on: boolean): void => (on ? localStorage.removeItem(disabledKey) : localStorage.setItem(disabledKey, '1')),
};

/** The key as the sheet names it, or null where it belongs to somebody else: a field, an input method, the browser. */
export const keyOf = (event: KeyboardEvent): string | null => {
  if (event.isComposing || event.defaultPrevented) return null;
  if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k' && !event.shiftKey && !event.altKey) return 'mod+k';
  if (event.metaKey || event.ctrlKey || event.altKey) return null;
  const target = event.target as HTMLElement | null;
  if (target?.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target?.tagName ?? '')) {
    const box = target as HTMLInputElement;
    if (event.key !== 'Escape' && !['checkbox', 'radio', 'button'].includes(box.type)) return null;
  }
  return event.key === ' ' ? 'Space' : event.key;
};
