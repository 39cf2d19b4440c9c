import { PluginBehaviors } from 'molstar/lib/mol-plugin/behavior.js';
import { PluginContext } from 'molstar/lib/mol-plugin/context.js';
import { PluginSpec } from 'molstar/lib/mol-plugin/spec.js';
import { Structure, StructureElement, Unit } from 'molstar/lib/mol-model/structure.js';
import { Vec3 } from 'molstar/lib/mol-math/linear-algebra.js';
import type { ColorTheme } from 'molstar/lib/mol-theme/color.js';
import { Color } from 'molstar/lib/mol-util/color/index.js';
import type { Location } from 'molstar/lib/mol-model/location.js';
import { bandOf, bands } from '../../lib/cif.ts';
import { residueOf, type AtomAt } from './loci.ts';
import { overlaysOf } from './overlay.ts';

/** A structure that is shown, and what can be done with the view of it. */
export interface Viewer {
  /** Draws these over it, instead of those before; their places among them are their numbers, from 1. */
  overlay: (others: readonly { cif: string; matrix: readonly number[]; colour: string }[]) => Promise<void>;
  /** Tells of atoms that are pointed at, in place of going nearer to them, until it is given null. */
  pick: (picked: ((atom: AtomAt) => void) | null) => Promise<void>;
  /** Draws a line between two atoms, with its length; or none. */
  measure: (ends: readonly [AtomAt, AtomAt] | null) => Promise<void>;
  reset: () => void;
  /** Over 1: nearer. */
  zoom: (by: number) => void;
  /** Degrees around the axis that points up. */
  turn: (degrees: number) => void;
  focus: (chain: string, number: number) => void;
  background: (colour: string) => void;
  dispose: () => void;
}

/** `#0053d6`, or `#fff` as a minifier shortens it. */
const colourOf = (hex: string): Color => {
  const digits = hex.trim().replace('#', '');
  return Color(Number.parseInt(digits.length === 3 ? digits.replaceAll(/./g, '$&$&') : digits, 16) || 0);
};

/** AlphaFold's four colours by the B-factor, which is the pLDDT in what is predicted. */
const plddtTheme = (): ColorTheme.Provider => {
  const style = getComputedStyle(document.documentElement);
  const colours = Object.fromEntries(bands.map(({ id }) => [id, colourOf(style.getPropertyValue(`--plddt-${id}`))]));
  const color = (location: Location): Color => {
    if (!StructureElement.Location.is(location) || !Unit.isAtomic(location.unit)) return Color(0x88_88_88);
    return colours[bandOf(location.unit.model.atomicConformation.B_iso_or_equiv.value(location.element)).id]!;
  };
  const factory: ColorTheme.Factory<Record<string, never>, 'group'> = (_, props) => ({ factory, granularity: 'group', color, props });
  return {
    name: 'plddt',
    label: 'pLDDT',
    category: 'Validation',
    factory,
    getParams: () => ({}),
    defaultValues: {},
    isApplicable: () => true,
  };
};

/**
 * Mol* without its controls: it shows one structure that the page has already, and has no action that would load another
 * from anywhere, nor a state on a server.
 */
export const show = async (container: HTMLDivElement, canvas: HTMLCanvasElement, cif: string, background: string): Promise<Viewer> => {
  const plugin = new PluginContext({
    actions: [],
    animations: [],
    behaviors: [
      PluginSpec.Behavior(PluginBehaviors.Representation.HighlightLoci),
      PluginSpec.Behavior(PluginBehaviors.Camera.FocusLoci),
      PluginSpec.Behavior(PluginBehaviors.Camera.CameraControls),
    ],
    config: [],
  });
  await plugin.init();
  if (!(await plugin.initViewerAsync(canvas, container))) throw new Error('This browser draws no WebGL.');
  const paint = (colour: string) =>
    plugin.canvas3d?.setProps({
      renderer: { backgroundColor: colourOf(colour) },
      camera: { helper: { axes: { name: 'off', params: {} } } },
    });
  paint(background);
  plugin.representation.structure.themes.colorThemeRegistry.add(plddtTheme());
  const build = plugin.builders.structure;
  const add = build.representation;
  const load = async (text: string) => {
    const data = await plugin.builders.data.rawData({ data: text });
    const model = await build.createModel(await build.parseTrajectory(data, 'mmcif'));
    return { root: data.ref, structure: await build.createStructure(model) };
  };
  const { structure } = await load(cif);
  const polymer = await build.tryCreateComponentStatic(structure, 'polymer');
  const ligand = await build.tryCreateComponentStatic(structure, 'ligand');
  if (polymer) await add.addRepresentation(polymer, { type: 'cartoon', color: 'plddt' as never });
  if (ligand) await add.addRepresentation(ligand, { type: 'ball-and-stick', color: 'element-symbol' });

  const laid = overlaysOf(plugin, load, structure, polymer);

  const camera = () => plugin.canvas3d!.camera;
  /** The longest way of it lies across the view, or down it where that is higher than wide, and fills it. */
  const lay = (): void => {
    const whole = structure.cell?.obj?.data;
    if (!whole) return;
    const { boxAxes } = StructureElement.Loci.getPrincipalAxes(Structure.toStructureElementLoci(whole));
    const [long, short] = [Vec3.magnitude(boxAxes.dirA), Vec3.magnitude(boxAxes.dirB)];
    plugin.canvas3d!.requestCameraReset({
      durationMs: 0,
      snapshot: (scene, { viewport: { width, height } }) => {
        const wide = width >= height;
        const fits = wide ? Math.max(short, (long * height) / width) : Math.max(short, (long * width) / height);
        const [up, towards] = wide ? [boxAxes.dirB, boxAxes.dirC] : [boxAxes.dirA, boxAxes.dirC];
        const { radius } = scene.boundingSphereVisible;
        // As near as it fits; what is drawn reaches as far as all of it does, however it is turned.
        return { ...camera().getFocus(boxAxes.origin, 1.1 * fits + 4, Vec3.clone(up), Vec3.clone(towards)), radius };
      },
    });
  };
  lay();
  const moved = (change: (away: Vec3, up: Vec3) => void): void => {
    const { position, target, up } = camera().state;
    const away = Vec3.sub(Vec3(), position, target);
    change(away, up);
    camera().setState({ position: Vec3.add(Vec3(), target, away) }, 0);
    plugin.canvas3d!.requestDraw();
  };
  return {
    reset: lay,
    zoom: (by) => moved((away) => Vec3.scale(away, away, 1 / by)),
    turn: (degrees) =>
      moved((away, up) => {
        const [sine, cosine] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
        const axis = Vec3.normalize(Vec3(), up);
        const across = Vec3.cross(Vec3(), axis, away);
        const along = Vec3.scale(Vec3(), axis, Vec3.dot(axis, away) * (1 - cosine));
        Vec3.add(away, Vec3.add(Vec3(), Vec3.scale(Vec3(), away, cosine), Vec3.scale(Vec3(), across, sine)), along);
      }),
    focus: (chain, number) => {
      const whole = structure.cell?.obj?.data;
      const loci = whole && residueOf(whole, chain, number);
      if (!loci) return;
      plugin.managers.camera.focusLoci(loci, { durationMs: 0, extraRadius: 8 });
      plugin.managers.interactivity.lociHighlights.highlightOnly({ loci }, false);
    },
    overlay: (others) => laid.overlay(others.map(({ colour, ...other }) => ({ ...other, colour: colourOf(colour) }))),
    pick: laid.pick,
    measure: laid.measure,
    background: paint,
    dispose: () => plugin.dispose(),
  };
};
