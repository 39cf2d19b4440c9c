import { expect, test } from 'vitest';
import { firstOf, noView, sameQuery, type View } from './views.ts';

const view = (slug: string, query: Record<string, string>): View => ({
  id: `view_${slug}`,
  object: 'view',
  screen: 'batches',
  name: slug,
  slug,
  query,
  shared: false,
  owner: 'ada',
  mine: true,
  created_at: 0,
  updated_at: 0,
});

const views = [view('late', { sla: 'at_risk' }), view('all', {})];

test('an address opens what it says: a view by its slug, else itself', () => {
  expect(firstOf({ view: 'late' }, views, null)).toEqual({ show: { sla: 'at_risk' }, missing: null });
  expect(firstOf({ view: 'late', status: 'failed' }, views, null)?.show).toEqual({ sla: 'at_risk' });
  expect(firstOf({ view: 'gone' }, views, 'view_late')).toEqual({ show: {}, missing: 'gone' });
  expect(firstOf({ status: 'failed' }, views, 'view_late')).toBeNull();
});

test('an address that says nothing opens the default, where there is one and it shows less than all', () => {
  expect(firstOf({}, views, null)).toBeNull();
  expect(firstOf({}, views, 'view_late')?.show).toEqual({ sla: 'at_risk' });
  expect(firstOf({}, views, 'view_removed')).toBeNull();
  expect(firstOf({}, views, 'view_all')).toBeNull();
  expect(firstOf({ view: noView }, views, 'view_late')).toBeNull();
});

test('two addresses are the same whatever the order of their parameters', () => {
  expect(sameQuery({ a: '1', b: '2' }, { b: '2', a: '1' })).toBe(true);
  expect(sameQuery({ a: '1' }, { a: '1', b: '2' })).toBe(false);
  expect(sameQuery({ a: '1', c: '2' }, { a: '1', b: '2' })).toBe(false);
});
