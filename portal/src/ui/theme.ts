import { ActionIcon, Button, Checkbox, CloseButton, createTheme, type MantineColorsTuple, Menu, Modal, Tooltip } from '@mantine/core';

const shades = (...values: string[]) => values as unknown as MantineColorsTuple;

/** Mantine's pieces in our measures; colours are in tokens.css. */
export const theme = createTheme({
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, monospace",
  fontSizes: { xs: '12px', sm: '13px', md: '13px', lg: '15px', xl: '18px' },
  primaryColor: 'accent',
  primaryShade: { light: 7, dark: 7 },
  colors: {
    accent: shades('#e9f3fd', '#d3e6fa', '#a6cef5', '#79b5f0', '#539fe9', '#3288df', '#1a72cd', '#0b5cb8', '#094f9e', '#074184'),
    red: shades('#fdebec', '#fad4d6', '#f4a9ad', '#ee7c82', '#e8555d', '#dc3d45', '#c9303a', '#b8232c', '#a01c25', '#87161e'),
    dark: shades('#eceff3', '#c3cad2', '#98a2ad', '#6d7883', '#39424b', '#242a31', '#181c21', '#111418', '#0b0d10', '#07090b'),
  },
  defaultRadius: 6,
  focusRing: 'auto',
  cursorType: 'pointer',
  headings: { fontWeight: '600', sizes: { h1: { fontSize: '18px', lineHeight: '1.3' }, h2: { fontSize: '14px', lineHeight: '1.4' } } },
  components: {
    Button: Button.extend({ defaultProps: { size: 'xs' }, styles: { root: { fontWeight: 550, height: 28, paddingInline: 10 } } }),
    ActionIcon: ActionIcon.extend({
      defaultProps: { variant: 'subtle', size: 28, color: 'gray' },
      styles: { root: { color: 'var(--ink-2)' } },
    }),
    Checkbox: Checkbox.extend({ defaultProps: { size: 'xs' } }),
    CloseButton: CloseButton.extend({ defaultProps: { ...({ 'aria-label': 'Close' } as object) } }),
    Modal: Modal.extend({
      defaultProps: {
        centered: true,
        closeButtonProps: { 'aria-label': 'Close' },
        transitionProps: { duration: 80 },
        overlayProps: { backgroundOpacity: 0.35 },
      },
      styles: { title: { fontWeight: 600, fontSize: 15 } },
    }),
    // Without Mantine's placeholder, which is no item of a menu, its first item has the focus.
    Menu: Menu.extend({
      defaultProps: { shadow: 'md', transitionProps: { duration: 60 }, position: 'bottom-end', withInitialFocusPlaceholder: false },
    }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 350, withArrow: false, transitionProps: { duration: 60 } } }),
  },
});
