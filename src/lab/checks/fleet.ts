export const addDrainKill = async () => [];
