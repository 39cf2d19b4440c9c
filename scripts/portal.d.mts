export const portalIsBuilt: () => boolean;
export const buildPortal: (node?: string, options?: { quiet?: boolean }) => void;
